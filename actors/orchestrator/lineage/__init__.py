"""What came of a document, and what a thing came of: read from the world and the journal, to be told, and to be forgotten."""
