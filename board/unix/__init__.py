"""MicroPython's unix port, for tests: `board.Board` is what the agent runs on there."""
