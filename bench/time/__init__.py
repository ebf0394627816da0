"""What the past of a world costs: to be read, to be searched, and to be taken back."""
