"""Benchmarks: each figure the design promises, measured on the machine they run on, as data and as a table."""
