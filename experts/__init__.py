"""The experts that ship with the program: the texts that they learn, and how they are made of them."""
