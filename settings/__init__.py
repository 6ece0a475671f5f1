"""How the shop is run: everything that differs between a laptop, a test and a server."""
