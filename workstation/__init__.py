"""The background service of one machine: scheduling, sessions, landing, the MCP server; and the way to reach it."""
