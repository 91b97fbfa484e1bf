"""`toolcart status`: how a running agent is doing, asked over its Unix socket, or over a board's cable."""
