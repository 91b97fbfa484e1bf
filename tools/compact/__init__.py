"""Shrinks the sources of a board before mpy-cross sees them: same behaviour, fewer names in its heap."""
