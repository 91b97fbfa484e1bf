"""The telegrams of ToolsNet Open Protocol: their layouts, a reader that checks them, and the rows that they become."""
