"""The PC side: the toolcart command, simulators, and what builds and checks the product."""
