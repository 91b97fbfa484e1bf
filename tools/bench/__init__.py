"""Benchmarks: each figure that the design promises, measured on the machine they run on, as data and as a table."""
