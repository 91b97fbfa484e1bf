"""Makes the sources of a board smaller before mpy-cross sees them: same behaviour, fewer names in its heap."""
