"""`toolcart fleet`: many carts of one plant, from one inventory: configurations, status, deployment over SSH."""
