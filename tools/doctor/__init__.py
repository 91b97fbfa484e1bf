"""`toolcart doctor`: checks the whole chain once and says what works, what does not and what to do."""
