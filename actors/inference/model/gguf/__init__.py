"""GGUF files as this house reads them: the header, and the numbers for transformers."""
