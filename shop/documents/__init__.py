"""Emails, packing slips and invoices."""
