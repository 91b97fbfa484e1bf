"""`toolcart flash`: brings a version onto a chip; if cut at any moment, the old or the complete new version remains."""
