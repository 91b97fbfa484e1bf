"""What only Linux has: outlets and sources that no chip runs. No module of agent/ outside imports it at its top."""
