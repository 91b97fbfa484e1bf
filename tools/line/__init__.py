"""`toolcart line`: what goes over a controller's serial line."""
