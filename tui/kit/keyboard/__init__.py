"""Keys: bindings, the line that shows them, and jump mode."""
