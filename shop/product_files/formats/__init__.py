"""Which columns a file has: our own format, Shopify's and WooCommerce's."""
