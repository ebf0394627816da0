"""Purging: after it no file of the home holds what was forgotten. It is done while the system is down."""
