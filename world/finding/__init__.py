"""What is found in a world without a name for it: every object, and the methods that use a name."""
