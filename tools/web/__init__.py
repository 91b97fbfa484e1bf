"""`toolcart web`: a read-only page about this machine's agents, and /metrics for Prometheus; it asks their sockets."""
