"""Date formats per language: Django loads `settings.formats.<language>.formats`."""
