"""What is asked about the world's past."""
