"""The persistent world: prototype objects with slots and methods, and the database that holds them."""
