"""What is handed to other people's machines: the Debian package, and the check of the container's recipe."""
