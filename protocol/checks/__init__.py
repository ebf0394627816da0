"""What comes from outside is looked at here before anything is done with it, by whoever it reaches first and again by whoever it is for."""
