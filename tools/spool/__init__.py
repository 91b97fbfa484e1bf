"""Reads a spool from outside: a file, a folder of block files, or an image pulled from a board. Never writes to it."""
