"""The `toolcart` command and what it calls: run, config, status, doctor, live, web, spool, flash, service."""
