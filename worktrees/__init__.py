"""Git: repositories, the worktree pool, diffs and landing."""
