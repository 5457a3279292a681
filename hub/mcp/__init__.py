"""`/mcp`: the same tools as on a workstation, over the hub's missions."""
