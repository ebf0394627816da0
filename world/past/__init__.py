"""The world's past: its commits, and the moments that it can be read at."""
