"""What every screen is made of: lines, keys, marks, sheets. Knows no other room."""
