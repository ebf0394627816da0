"""What a text is made of: its structure, sentences and passages, and its terms. Nothing here knows of the catalog or of the model."""
