"""What is done with documents as a whole, beside their index: listing them, and giving one another id."""
