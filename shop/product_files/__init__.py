"""Import and export of product files: CSV, XLSX and ZIP, in this shop's format or another's."""
