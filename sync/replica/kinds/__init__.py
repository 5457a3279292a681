"""What goes to a hub, a class for each kind: missions, their notes and files, parts of the project, its memory."""
