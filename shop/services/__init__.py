"""All writes: one function per operation, keyword-only, in one transaction, with typed errors.

Lock order, everywhere: idempotency key, order, cart item, product by id.
"""
