"""The doors: how others than the user of the home come in."""
