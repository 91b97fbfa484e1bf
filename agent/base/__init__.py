"""What every package of the core builds on: time, fields, bytes, checksums, the form of a result."""
