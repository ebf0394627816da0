"""The guardian: five gates between what a model wrote and what the world keeps."""
