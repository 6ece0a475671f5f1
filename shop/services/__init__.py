"""Everything that writes: one function for each thing that happens in a shop, each in one transaction.

Locks are always taken in this order: idempotency key, order, cart line, product by id.
"""
