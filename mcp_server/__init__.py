"""The MCP server through which agents read and update missions."""
