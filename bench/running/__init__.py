"""What runs while something is measured: a home with its processes, and a peer in a process of its own."""
