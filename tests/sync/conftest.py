"""The workspace of tests/workspace, for what passes between it and a hub; two machines with one hub."""

from ..workspace.conftest import AGENT, Clock, clock, mission, project, workspace
from .pair import both, hub

__all__ = ["AGENT", "Clock", "both", "clock", "hub", "mission", "project", "workspace"]
