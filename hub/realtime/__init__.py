"""Real time: sockets at `/ws/v1`, channels with sequence numbers and replay, presence, fan-out between processes."""
