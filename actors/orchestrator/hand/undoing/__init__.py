"""Taking back what was written: `undo` of commits, `rewind` to a moment, each the slot-level inverse in a new transaction."""
