"""Files of many kinds as text: one table of readers, each a function of bytes, and what keeps hostile ones in bounds."""
