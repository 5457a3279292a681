"""Faults of disks, clocks, processes and agents, put into the real programs."""
