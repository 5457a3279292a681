"""Colours: our two themes, what a terminal can show of a theme, and whether its background is light."""
