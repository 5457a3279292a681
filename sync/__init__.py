"""What passes between the workspace and a hub: its replica there, the client that talks to it."""
