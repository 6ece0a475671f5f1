"""Customers, staff, sessions and groups."""
