"""What only Linux has: outlets and sources that no chip runs. Elsewhere toolcart/agent/ imports it only on CPython."""
