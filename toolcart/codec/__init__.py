"""The catalogue of Open Protocol on the command line: `toolcart mid` and `toolcart decode`."""
