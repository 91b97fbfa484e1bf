"""What only Linux has: outlets and sources that no chip runs. Elsewhere agent/ imports it only on CPython."""
