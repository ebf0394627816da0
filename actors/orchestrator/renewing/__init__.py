"""Before a world or a journal of an older form becomes one of this program's: a backup, and all of it on a copy first."""
