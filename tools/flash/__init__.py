"""`toolcart flash`: brings a version onto a chip; a cut at any instant leaves what ran before, or the new one whole."""
