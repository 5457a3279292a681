"""What is read from the workspace: functions of a connection, which `Workspace.read` runs on one state of it."""
