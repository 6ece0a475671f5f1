"""Changes of many products: planned as rows, applied in one transaction, and undone."""
