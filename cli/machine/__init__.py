"""This machine: the service, agents, MCP clients, settings, `doctor`, the demo."""
