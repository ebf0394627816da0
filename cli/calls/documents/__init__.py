"""What is remembered from files: folders are read, changes found, documents sent, listed and forgotten."""
