"""Product imports: preview, apply and undo."""
