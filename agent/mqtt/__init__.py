"""MQTT 3.1.1 as its client speaks it: packets, and a session with one broker. Knows nothing of results."""
