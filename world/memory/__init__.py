"""What is remembered, as it stands in the world: documents with their segments of the index, and their passages."""
