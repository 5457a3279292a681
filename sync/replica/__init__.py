"""Connected projects: the mirror of a hub's missions, what was done here since, and how the two come together."""
