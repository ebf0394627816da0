"""What inference does for the command beside a running system: it says what a model is before anybody loads it."""
