"""`toolcart doctor`: goes through the whole chain once and says what works, what does not and what to do."""
