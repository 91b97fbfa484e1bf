"""What goes over a controller's serial line, in words: from captures, or live."""
