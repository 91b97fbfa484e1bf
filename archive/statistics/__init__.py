"""Sums, capability and charts over any span of results."""
