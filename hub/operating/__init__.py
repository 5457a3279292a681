"""Running a hub: limits, headers, logs, metrics, health, and a stop that loses nothing."""
