"""Curves of tightenings from whatever has them: read, shown in a terminal, drawn into a picture."""
