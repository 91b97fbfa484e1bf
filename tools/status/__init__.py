"""`toolcart status`: how a running agent is, asked over its Unix socket, or over the cable of a board."""
