"""`toolcart install-service`: the agent as a systemd service on a Raspberry Pi, sandboxed and watched."""
