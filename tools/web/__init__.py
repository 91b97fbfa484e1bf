"""`toolcart web`: a read-only page of this machine's agents, and /metrics for Prometheus; it asks their sockets."""
