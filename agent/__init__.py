"""The portable core of toolcart: the same files run on MicroPython and CPython. Opens no socket, reads no clock."""
