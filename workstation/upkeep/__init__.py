"""What the service looks after by itself: worktrees to clean, room and load, which code agents can work."""
