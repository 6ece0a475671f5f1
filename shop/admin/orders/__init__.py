"""Orders: list, page, actions, phone orders."""
