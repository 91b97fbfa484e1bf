"""Batches of an outlet's lines that come over MQTT, each stored once in the archive's own tables (consumers.md)."""
