"""Reading uploaded files: file type, encoding, separator, rows and cell values."""
