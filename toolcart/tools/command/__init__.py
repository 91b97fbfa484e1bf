"""`toolcart command`: has a running agent make its controller do something."""
