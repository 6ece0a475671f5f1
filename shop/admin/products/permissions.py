"""What it takes to work in the stock room."""

#: To receive goods and to count stock, and to undo either.
STOCK_PERMISSION = "shop.manage_stock"
