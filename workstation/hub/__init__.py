"""This workstation at the hubs of connected projects: registration, heartbeats, claims."""
