"""The spool: one append-only log of records on a fixed area of flash, with a cursor for every outlet."""
