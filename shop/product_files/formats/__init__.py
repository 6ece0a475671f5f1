"""File formats (which columns a file has): this shop's own, Shopify's and WooCommerce's."""
