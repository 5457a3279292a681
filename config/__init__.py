"""Settings, paths, credentials and logging."""
