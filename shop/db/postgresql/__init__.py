"""What Django looks for in `base`."""
