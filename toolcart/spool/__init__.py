"""A spool read without its agent: an image of it, and what the agent's own code makes of it."""
