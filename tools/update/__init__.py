"""Signed packages: `toolcart sign` signs them, `toolcart update` installs those signed by a trusted key."""
