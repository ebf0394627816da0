"""The door for programs that speak OpenAI's dialect: `/v1` on loopback."""
