"""What is shown of the world's past."""
