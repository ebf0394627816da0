"""What keeps a home, as a person reads it."""
