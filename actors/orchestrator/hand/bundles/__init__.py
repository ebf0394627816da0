"""Objects on their way into another world, and from one."""
