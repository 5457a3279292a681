"""The background service of a machine: schedules, runs sessions, hosts the MCP server."""
