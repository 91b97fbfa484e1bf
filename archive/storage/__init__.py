"""What changes the archive's records: the thread that stores them, their maintenance, the import of a quarantine."""
