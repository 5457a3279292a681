"""The pool: one worktree per mission, claimed, prepared, resumed, cleaned."""
