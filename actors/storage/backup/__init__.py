"""Backups of a home, and homes made of them again; what runs goes on meanwhile. How a backup lies on a disk, `manifest` says."""
