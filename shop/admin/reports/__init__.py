"""The reports: one page, and a declaration for each report."""
