"""What keeps a home: what it forgets for good."""
