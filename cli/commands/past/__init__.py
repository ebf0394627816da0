"""The world's history as commands: what was, why it is so, and back again."""
