"""A consumer of batches is tried over its broker."""
