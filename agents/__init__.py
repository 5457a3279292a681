"""Code agents: catalogue, detection, the session host and the events of each agent."""
