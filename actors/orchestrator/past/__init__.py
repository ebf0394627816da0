"""The world's past, read: moments, what a commit has changed, and what two moments differ in."""
