"""What keeps a home, asked of those who can do it."""
