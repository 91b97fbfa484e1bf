"""The tables of the archive, and what reads, writes and changes them."""
