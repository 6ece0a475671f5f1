"""Django settings for development, tests and production."""
