"""The only code that depends on undocumented parts of Django.

`tests/db/test_django_internals.py` lists each private or undocumented name that is used here, and
fails if one of them is missing or if a module outside of this package uses a private name of a
library.

To upgrade Django:

1. Run that test. For each name that it reports, read the docstring of the module that uses it.
2. Run `tests/db` on SQLite and on PostgreSQL: rows, converters and transactions behave as before.
3. Run `tests/benchmarks/beside_drf.py --short`: no call needs more queries than before.
"""
