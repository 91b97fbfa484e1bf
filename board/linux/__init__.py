"""A Raspberry Pi, or any Linux: `board.Board` is what the agent runs on there."""
