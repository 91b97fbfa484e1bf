"""What all pages share: their frame, their style, and how foreign text gets onto a screen."""
