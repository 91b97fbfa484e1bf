"""What all pages share: their frame, their style, and how text of others gets onto a screen."""
