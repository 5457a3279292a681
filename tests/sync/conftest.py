"""The workspace of tests/workspace, for what passes between it and a hub."""

from ..workspace.conftest import AGENT, Clock, clock, mission, project, workspace

__all__ = ["AGENT", "Clock", "clock", "mission", "project", "workspace"]
