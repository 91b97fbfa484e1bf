"""An RP2040 or RP2350: `board.Board` is what the agent runs on there."""
