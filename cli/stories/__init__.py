"""Stories in a world of their own that is thrown away afterwards: one that plays by itself, and one for a person to walk through."""
