"""ToolsNet Open Protocol 3.4, the station's side: telegrams and the session with PIM and server."""
