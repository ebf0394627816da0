"""The world's history, as text for a person."""
