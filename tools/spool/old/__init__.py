"""Reads spools of formats 2 and 3, whose state lay between the results."""
