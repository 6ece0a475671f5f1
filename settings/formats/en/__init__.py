"""Formats of the language `en`, which Django looks for in a package of this name."""
