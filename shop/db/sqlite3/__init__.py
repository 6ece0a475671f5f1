"""A database backend for the ENGINE setting; Django imports its module `base`."""
