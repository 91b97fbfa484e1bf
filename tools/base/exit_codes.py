"""What `toolcart run` and the agent's own process exit with."""

EXIT_FINE = 0
EXIT_OTHER = 1
EXIT_CONFIGURATION = 2
EXIT_SPOOL = 3
