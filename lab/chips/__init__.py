"""Chips that are simulated from outside: the whole board program on 32-bit MicroPython, in a real board's heap."""
