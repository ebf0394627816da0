"""Why the world is as it is: which commit has changed an answer, a thought played again, and where things come from."""
