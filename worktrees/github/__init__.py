"""GitHub and GitHub Enterprise: access, repositories, pull requests. Synchronous: the service calls it in threads."""
