"""An online shop: models, an admin for staff, and an API for customers' apps."""

__version__ = "1.0.0"
