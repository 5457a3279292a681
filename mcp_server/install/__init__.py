"""Entering this server in the settings of MCP clients: claude, codex, gemini, opencode, cursor, vscode."""
