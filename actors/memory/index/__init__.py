"""The index of passages: segments as bytes, blocks in memory for searching, and the same behind zope.index's interfaces."""
