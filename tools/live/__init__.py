"""What a person sees of a running agent: its process, figures made from its state, plain lines, the live view."""
