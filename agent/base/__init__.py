"""What every room of the core stands on: time, fields, bytes, checksums, the form of a result."""
