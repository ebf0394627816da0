"""What is asked to keep a home, of the system that runs and of the files of one that is down."""
