"""What other services tell the hub: GitHub, of pull requests."""
