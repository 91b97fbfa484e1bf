"""`toolcart fleet`: a plant's many carts, from one inventory: configurations, status, deployment over SSH."""
