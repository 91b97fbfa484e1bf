"""Signed packages: `toolcart sign` makes the signature, `toolcart update` installs what a trusted key has signed."""
