"""Management commands, and the modules that they use."""
