"""A project with its flows, and missions in any state, for the tests of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from solo_unicorn.missions.entities import Flow, Mission, Project, ProjectRepository
from solo_unicorn.missions.rules.creating import MissionDraft, create
from solo_unicorn.missions.rules.flows import system_flows

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Make:
    """Builds what a test starts from."""

    now = NOW
    later = NOW + timedelta(minutes=1)

    def __init__(self) -> None:
        ids = count()
        self.project = Project("p", "Acme", "acme", NOW, NOW)
        self.repository = ProjectRepository("r", "p", "web", NOW, NOW, github_repo_id=77, default_branch="trunk")
        self.flows: dict[str, Flow] = {flow.name: flow for flow in system_flows("p", lambda: f"flow-{next(ids)}", NOW)}
        self.standard = self.flows["Standard"]
        self.direct = self.flows["Direct"]

    def mission(self, flow: Flow | None = None, *, draft: MissionDraft | None = None, **fields: Any) -> Mission:
        """A new mission, then with these fields."""
        mission = create(
            draft or MissionDraft("Retry payments"),
            project=self.project,
            flow=flow or self.standard,
            repository=self.repository,
            id="m42",
            number=42,
            list_order=1024.0,
            now=NOW,
        )
        return replace(mission, **fields)

    def running(self, flow: Flow | None = None, **fields: Any) -> Mission:
        """A mission that an agent works on."""
        state: dict[str, Any] = {"list": "doing", "ready": True, "agent_session_status": "ACTIVE", "session_id": "s1"}
        return self.mission(flow, **(state | fields))

    def pending(self, flow: Flow | None = None, **fields: Any) -> Mission:
        """A mission that waits for a review, its session over."""
        state: dict[str, Any] = {
            "list": "review",
            "ready": True,
            "session_id": "s1",
            "review_status": "pending",
            "review_requested_at": NOW,
        }
        return self.mission(flow, **(state | fields))


@pytest.fixture(scope="session")
def make() -> Make:
    """The builder."""
    return Make()
