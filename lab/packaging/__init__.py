"""What other people's machines get: the Debian package, and the check of the container's recipe."""
