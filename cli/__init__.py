"""The command `batos`: it publishes what a person wants, and renders what comes back."""
