"""A small shop: models, an admin for its staff, and an API for its customers' apps."""
