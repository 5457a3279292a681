"""Make docs/board.svg: the real board over a real workspace, at 160×45.

    python docs/board_picture.py [SVG] [--size 160x45] [--theme unicorn-dark] [--keys j,j,enter]

The workspace is a throw-away one, filled through the same operations that people and agents use.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent, Mission, Usage, service_of
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)


class Clock:
    """A clock that the story moves."""

    def __init__(self) -> None:
        self.now = NOW - timedelta(hours=6)

    def __call__(self) -> datetime:
        """The time of the story."""
        return self.now

    def before_end(self, **ago: float) -> None:
        """Go to a time before the picture is taken."""
        self.now = NOW - timedelta(**ago)


def tell(path: Path) -> str:
    """Fill a workspace; returns the project's id."""
    clock = Clock()
    with Workspace.open(path, clock=clock) as workspace:
        project = workspace.write(operations.projects.create, "acme-shop", description="The shop")
        workspace.write(operations.projects.edit, project.id, {"wip_limits": {"doing": 4, "review": 5}})
        web = workspace.write(
            operations.projects.add_repository, project.id, "web", local_path="/srv/acme/web", max_concurrent_missions=4
        )
        api = workspace.write(
            operations.projects.add_repository, project.id, "api", local_path="/srv/acme/api", max_concurrent_missions=4
        )
        workspace.write_as(
            SYSTEM,
            operations.workstation.set_agents,
            [
                CodeAgent(
                    "claude",
                    "claude",
                    "Claude Code",
                    slots=2,
                    binary="/usr/bin/claude",
                    agent_version="2.1.4",
                    state="ready",
                ),
                CodeAgent(
                    "codex", "codex", "Codex", slots=1, binary="/usr/bin/codex", agent_version="0.169", state="ready"
                ),
                CodeAgent(
                    "gemini", "gemini", "Gemini", slots=1, binary="/usr/bin/gemini", agent_version="0.61", state="ready"
                ),
                CodeAgent("opencode", "opencode", "OpenCode", detail="not installed"),
            ],
        )
        flows = {flow.name: flow.id for flow in workspace.read(queries.projects.flows, project.id)}

        def add(title: str, priority: int, repository: str, **more: Any) -> Mission:
            draft = MissionDraft(title=title, priority=priority, project_repository_id=repository)
            return workspace.write(operations.missions.create, project.id, replace(draft, **more))

        def plan(mission: Mission, done: int, *titles: str) -> None:
            workspace.write(operations.missions.update_tasks, mission.id, titles, done)

        def run(mission: Mission, agent: str, activity: str, tokens: int, cost: float | None) -> str:
            workspace.write(operations.missions.set_ready, mission.id, True)
            chosen = next(one for one in workspace.read(queries.workstation.agents) if one.name == agent)
            here = operations.workstation.this_machine(workspace).id
            session = workspace.write_as(
                SYSTEM,
                operations.dispatch.claim,
                mission.id,
                session_id=f"S{mission.number:025}",
                agent=chosen,
                workstation_id=here,
            )
            workspace.write_as(
                service_of(session.id),
                operations.sessions.begin,
                session.id,
                host_pid=1,
                worktree_path=f"/home/you/.solo-unicorn/worktrees/{mission.number}",
                branch=f"solo-unicorn/mission-{mission.number}",
                base_commit="0" * 40,
            )
            workspace.write_as(
                SYSTEM,
                operations.workstation.set_mission_worktree,
                mission.id,
                f"/home/you/.solo-unicorn/worktrees/{mission.number}",
                f"solo-unicorn/mission-{mission.number}",
            )
            usage = Usage(tokens * 3 // 4, tokens // 4, 0, cost, 4)
            workspace.write_as(
                SYSTEM, operations.sessions.progress, session.id, activity=activity, usage=usage, at=clock()
            )
            return session.id

        def review(mission: Mission, summary: str, to_check: str) -> None:
            workspace.write_as(
                Author("agent", "claude"), operations.review.request_review, mission.id, summary, to_check
            )

        rate = add("Rate-limit the public API", 5, api.id, stage="plan")
        plan(rate, 0, "Token bucket per key", "Answer 429 with Retry-After", "Metrics", "Docs", "Load test", "Roll out")
        tokens = add("Design tokens for every surface of the shop", 4, web.id, stage="plan")
        dark = add("Dark mode for invoices", 3, web.id)
        workspace.write(operations.missions.link, tokens.id, dark.id)
        add("Invoices as PDF/A-3 with the machine-readable part attached", 3, api.id)
        add("Search: synonyms from the support mailbox", 2, web.id, flow_id=flows["Research"])
        add("Drop the last jQuery plug-in", 1, web.id, flow_id=flows["Quick fix"])
        for mission in (rate, dark):
            workspace.write(operations.missions.set_ready, mission.id, True)

        done = [
            add(title, 3, web.id)
            for title in ("Migrate to Node 22", "Cookie banner without a framework", "Nightly backup test")
        ]
        for hours, mission in zip((40, 5, 2), reversed(done), strict=True):
            clock.before_end(hours=hours)
            workspace.write(operations.missions.move, mission.id, "done", top=True)
        clock.before_end(hours=3)
        loop = add("Dependency updates", 2, web.id, is_loop=True)
        workspace.write(
            operations.missions.edit, loop.id, {"description": "Update what is safe to update, one pull request each."}
        )
        add("Flaky test hunt", 3, api.id, is_loop=True)

        login = add("Fix flaky login test", 3, web.id, stage="code", code_agent_name="codex", code_agent_type="codex")
        clock.before_end(minutes=30)
        parked = run(login, "codex", "running npm test", 52_000, None)
        workspace.write_as(
            service_of(parked),
            operations.sessions.end,
            parked,
            "rate_limited",
            "usage limit",
            reset_at=NOW + timedelta(hours=9, minutes=12),
        )

        clock.before_end(minutes=14)
        typo = add("Search: typo tolerance", 3, web.id, stage="plan", list="doing")
        review(
            typo, "Compared three approaches and chose trigram search.", "Is one edit per four letters what you want?"
        )
        question = add("Consent before analytics", 4, web.id, stage="clarify", list="doing")
        asked = run(question, "gemini", "thinking", 6_000, None)
        clock.before_end(minutes=12)
        workspace.write_as(
            Author("agent", "gemini"),
            operations.review.ask_question,
            question.id,
            "Should a refusal be remembered for a year, or asked again each month?",
        )
        workspace.write_as(service_of(asked), operations.sessions.end, asked, "needs_input", "")
        workspace.write(operations.missions.move, typo.id, "review", top=True)

        clock.before_end(minutes=4, seconds=12)
        pay = add("Checkout: retry payments", 4, web.id, stage="code", list="doing", description=DESCRIPTION)
        plan(
            pay,
            3,
            "Find the failing call",
            "One back-off for all callers",
            "Idempotency key",
            "Test with a flaky server",
            "Write it down",
        )
        run(pay, "claude", "editing src/pay/retry.ts", 38_000, 0.41)
        workspace.write(operations.missions.move, pay.id, "doing", top=True)
        clock.before_end(seconds=48)
        stock = add("Stock levels: one query instead of forty", 5, api.id, stage="plan", list="doing")
        run(stock, "claude", "reading src/stock/level.py", 9_000, 0.07)
        clock.now = NOW
        workspace.write_as(
            SYSTEM, operations.workstation.set_agent_limit, "codex", NOW + timedelta(hours=9, minutes=12)
        )
        return project.id


DESCRIPTION = """\
Payments fail once in four hundred and the customer sees an error page.

* retry with back-off, **three times** at most
* never charge twice: send an *idempotency key*
* the error page only after the last attempt

```ts
await charge(order)
```
"""


async def picture(path: Path, size: tuple[int, int], theme: str, keys: list[str]) -> str:
    """Run the application headless; what it shows, as SVG."""
    from solo_unicorn.config.settings import ScreenSettings
    from solo_unicorn.tui.app import SoloUnicornApp
    from solo_unicorn.tui.board.data import opening

    app = SoloUnicornApp(
        lambda: opening(path, None, None),
        path=path,
        settings=Settings(ui=ScreenSettings(theme)),
        serve=False,
        clock=lambda: NOW,
    )
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause(0.3)
        for key in keys:
            if key.startswith("+"):
                await pilot.pause(float(key[1:]))
            else:
                await pilot.press(key)
                await pilot.pause()
        await pilot.pause(0.2)
        return app.export_screenshot(title="Solo Unicorn")


def main() -> None:
    """Tell the story, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).with_name("board.svg"))
    parser.add_argument("--size", default="160x45")
    parser.add_argument("--theme", default="unicorn-dark")
    parser.add_argument("--keys", default="")
    chosen = parser.parse_args()
    width, _, height = chosen.size.partition("x")
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "SOLO_UNICORN_HOME": directory,
            "SOLO_UNICORN_RUNTIME_DIR": directory,
            "TZ": "UTC",
            "COLORTERM": "truecolor",
        }
        path = Path(directory) / "workspace.db"
        tell(path)
        keys = [key for key in chosen.keys.split(",") if key]
        made = asyncio.run(picture(path, (int(width), int(height)), chosen.theme, keys))
        chosen.out.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
