"""A ToolsNet-compatible archive: PIM, server, database, pages and reports. README.md has the way of a result."""
