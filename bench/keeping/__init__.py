"""What keeping a home costs, claim by claim."""
