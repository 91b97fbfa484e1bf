"""Curves of tightenings, out of whatever has them: read, shown in a terminal, drawn into a picture."""
