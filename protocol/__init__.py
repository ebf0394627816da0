"""What travels between the processes; it imports nothing of ours."""
