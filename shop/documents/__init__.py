"""What the shop sends and prints: emails, packing slips and invoices."""
