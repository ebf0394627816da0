"""What methods owe: their examples tried, and whose contracts a new method may break."""
