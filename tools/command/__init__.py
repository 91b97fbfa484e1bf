"""`toolcart command`: what a running agent has its controller do for others."""
