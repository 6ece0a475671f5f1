"""A shop: models, services, an admin for staff and an API for customer apps."""

__version__ = "1.0.0"
