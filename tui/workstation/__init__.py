"""The workstation console: agents, sessions, worktrees, the machine."""
