"""The story that the pictures show: a workspace of one day, told through the operations that people and agents use."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from solo_unicorn.config import paths
from solo_unicorn.config.settings import ScreenSettings, Settings
from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent, JsonObject, Mission, Usage, service_of
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

TEXTS = Path(__file__).with_name("story")
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


DESCRIPTION = (TEXTS / "description.txt").read_text()


BEFORE = (TEXTS / "charge.before.ts").read_text()
AFTER = (TEXTS / "charge.ts").read_text()
TEST = (TEXTS / "charge.test.ts").read_text()
GIFT_CARDS = "Pay with gift cards"


def repository(place: Path, before: str = BEFORE) -> Path:
    """A repository with one commit."""
    root = place / "web"
    (root / "src/pay").mkdir(parents=True)
    (root / "src/pay/charge.ts").write_text(before, encoding="utf-8")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=The shop")
    return root


def git(directory: Path, *words: str) -> str:
    """Run git there as the person of the story; what it says."""
    return subprocess.run(
        ["git", "-c", "user.name=You", "-c", "user.email=you@example.com", *words],
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def tell_of_code(path: Path, project: str) -> None:
    """Add a mission whose code waits for a review, in a repository that exists, and what the running agent said."""
    root = repository(Path.home())
    worktree = paths.worktrees_dir() / "web-17"
    branch = "solo-unicorn/pay-with-gift-cards"
    git(root, "worktree", "add", "--quiet", "-b", branch, str(worktree))
    base = git(root, "rev-parse", "HEAD")
    (worktree / "src/pay/charge.ts").write_text(AFTER, encoding="utf-8")
    (worktree / "test").mkdir()
    (worktree / "test/charge.test.ts").write_text(TEST, encoding="utf-8")
    git(worktree, "add", ".")
    git(worktree, "commit", "--quiet", "--message=Pay with gift cards, and ask a busy server again")
    clock = Clock()
    with Workspace.open(path, clock=clock) as workspace:
        clock.before_end(minutes=31)
        shop = workspace.write(
            operations.projects.add_repository, project, "shop", local_path=str(root), max_concurrent_missions=4
        )
        draft = MissionDraft(title=GIFT_CARDS, priority=4, project_repository_id=shop.id, stage="code", list="doing")
        mission = workspace.write(operations.missions.create, project, replace(draft, description=DESCRIPTION))
        workspace.write(operations.missions.set_ready, mission.id, True)
        claude = next(one for one in workspace.read(queries.workstation.agents) if one.name == "claude")
        session = workspace.write_as(
            SYSTEM,
            operations.dispatch.claim,
            mission.id,
            session_id="S" + "7" * 25,
            agent=claude,
            workstation_id=operations.workstation.this_machine(workspace).id,
        )
        author = service_of(session.id)
        workspace.write_as(
            author,
            operations.sessions.begin,
            session.id,
            host_pid=1,
            worktree_path=str(worktree),
            branch=branch,
            base_commit=base,
        )
        workspace.write_as(SYSTEM, operations.workstation.set_mission_worktree, mission.id, str(worktree), branch)
        clock.before_end(minutes=9)
        agent = Author("agent", "claude")
        stops = [
            operations.comments.TourStop("src/pay/charge.ts", 16, "Every payment goes through this loop now"),
            operations.comments.TourStop("test/charge.test.ts", 4, "The server that is busy twice"),
        ]
        workspace.write_as(agent, operations.comments.propose_tour, mission.id, stops)
        workspace.write_as(
            agent,
            operations.review.request_review,
            mission.id,
            "Gift cards are charged like any other payment, and a busy server is asked three times.",
            "Is 1.4 s the longest that a customer should wait?",
        )
        workspace.write_as(author, operations.sessions.end, session.id, "completed", "")
        clock.before_end(minutes=2)
        workspace.write(
            operations.comments.add, mission.id, "src/pay/charge.ts", 22, "new", "Say on the page that we try again."
        )
        active = workspace.read(queries.sessions.find, active=True)
        running = next(one for one in active if one.activity == "editing src/pay/retry.ts")
    run = paths.run_dir(running.id)
    (run / "launch.json").write_text(json.dumps({"parser": "claude"}), encoding="utf-8")
    lines = [json.dumps({"t": NOW.timestamp(), "s": "out", "l": json.dumps(event)}) for event in transcript()]
    (run / "transcript.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def tell_of_weeks(path: Path, project: str) -> None:
    """Add what was done in the weeks before."""
    clock = Clock()
    with Workspace.open(path, clock=clock) as workspace:
        for week, count in enumerate((2, 4, 3, 5, 4, 6, 5, 7), 1):
            for number in range(count):
                clock.before_end(weeks=week, hours=5 * number + 8 - week)
                done = MissionDraft(title=f"Done in week {week}: {number}", stage="code")
                made = workspace.write(operations.missions.create, project, done)
                workspace.write(operations.missions.set_ready, made.id, True)
                clock.before_end(weeks=week, hours=3 * number)
                workspace.write(operations.missions.move, made.id, "done")


def transcript() -> list[dict[str, Any]]:
    """What the running agent printed."""

    def says(*content: dict[str, Any]) -> dict[str, Any]:
        return {"type": "assistant", "message": {"id": str(len(made)), "role": "assistant", "content": [*content]}}

    def uses(name: str, result: str, **given: str) -> None:
        made.append(says({"type": "tool_use", "id": f"t{len(made)}", "name": name, "input": given}))
        answer = {"type": "tool_result", "tool_use_id": f"t{len(made) - 1}", "content": result}
        made.append({"type": "user", "message": {"role": "user", "content": [answer]}})

    made: list[dict[str, Any]] = []
    made.append(says({"type": "text", "text": "I will look for every place that charges a customer first."}))
    uses("Grep", "src/pay/charge.ts\nsrc/pay/subscription.ts\nsrc/admin/manual.ts", pattern='post\\("/charges')
    text = "Three places charge, each with its own error handling. One back-off for all of them belongs in charge()."
    made.append(says({"type": "text", "text": text}))
    uses("Read", 'import { post } from "./http";', file_path="src/pay/charge.ts")
    uses("Edit", "The file was updated.", file_path="src/pay/charge.ts", old_string="await post", new_string="retry")
    uses("Bash", "Tests: 14 passed, 14 total", command="npm test -- charge")
    made.append(says({"type": "text", "text": "The tests pass. Next: the same idempotency key for every attempt."}))
    return made


def show(theme: str) -> None:
    """The application over the home that the environment names, at the time of the story."""
    from solo_unicorn.tui.app import SoloUnicornApp
    from solo_unicorn.tui.board.data import opening
    from solo_unicorn.tui.workstation import data

    kept = Workspace.open.__func__.__kwdefaults__  # type: ignore[attr-defined]
    assert kept is not None
    kept["clock"] = lambda: NOW  # why a mission waits is judged by the clock of the story too
    running: JsonObject = {"state": "running", "pid": 4242, "version": "1.0", "load": [1.2]}
    data.service_status = lambda: running  # the story is told: a service would go on with it
    SoloUnicornApp(
        lambda: opening(None, None, None),
        settings=Settings(ui=ScreenSettings(theme)),
        directory=Path.cwd(),
        serve=False,
        clock=lambda: NOW,
    ).run()
