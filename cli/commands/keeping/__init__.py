"""What keeps a home: backups and what is made of them."""
