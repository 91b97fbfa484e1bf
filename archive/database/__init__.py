"""The tables of the archive, how its database is opened, and what all parts ask of it."""
