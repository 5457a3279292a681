"""What a mission changed, and the comments on it."""
