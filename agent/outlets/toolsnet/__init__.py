"""ToolsNet as an outlet: where the server stands, what it refuses, and the way to it."""
