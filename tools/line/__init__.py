"""What goes over a controller's serial line, in words: captures read back, live lines watched."""
