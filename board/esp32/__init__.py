"""An ESP32: `board.Board` is what the agent runs on there."""
