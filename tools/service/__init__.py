"""`toolcart install-service`: the agent as a systemd service on a Raspberry Pi, shut in and watched."""
