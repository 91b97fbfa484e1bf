"""Reads spools of formats 2 and 3, which kept their state between the results."""
