"""Boards: everything that knows an operating system or a chip; each has the names that agent.cart.app asks for."""
