"""Product files: reading other people's, and writing our own."""
