"""What methods do beyond their examples: inputs that look like the seen ones, groups of equal behaviour, and doubts."""
