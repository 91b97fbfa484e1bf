"""PIM and server: what stations send is checked, stored, and answered after its commit."""
