"""Products and stock: list, form, actions."""
