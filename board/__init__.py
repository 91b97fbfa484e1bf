"""Boards: what knows an operating system or a chip; each has the names that toolcart.agent.cart.app asks for."""

FILES_BYTES = 262144  # of the storage of an RP2 with our image: configuration and certificates; the spool lies behind
