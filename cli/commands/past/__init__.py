"""Commands about the world's past."""
