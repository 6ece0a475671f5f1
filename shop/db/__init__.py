"""What leans on Django's internals: compiled queries, deferred joins, transactions, the PostgreSQL backend."""
