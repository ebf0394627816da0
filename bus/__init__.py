"""How messages travel, and how a process lives that takes part in it."""
