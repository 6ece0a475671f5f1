"""Product imports: upload, preview, apply, undo."""
