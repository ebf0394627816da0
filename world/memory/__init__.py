"""What is remembered, as it stands in the world: documents with their segments of the index, and their passages."""

from world.memory.documents import Document, Documents, Passage, Piece

__all__ = ["Document", "Documents", "Passage", "Piece"]

# Each record has the name of its class, and those of the objects that it refers to: with the short one, a document of one
# passage is smaller by fifty bytes.
for each in (Document, Documents, Passage, Piece):
    each.__module__ = __name__
