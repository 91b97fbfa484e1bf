"""How a process is told of its database: not on the command line, which others can read, for it may have a password."""

PLACE_VARIABLE = "TOOLCART_ARCHIVE"
