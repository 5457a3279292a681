"""`project …` and what belongs to a project: repositories, worktrees, actors, memory, figures."""
