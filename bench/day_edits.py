"""What a person does in a day: edits by commands, and decisions on conflicts: see day.py."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from solo_unicorn.bench.day_ledger import Ledger
from solo_unicorn.bench.day_programs import Machine, WentWrong
from solo_unicorn.bench.day_rows import reading

DOCUMENT, ACTOR, FLOW, COMMENTED = "decisions", "Careful", "Ours", "README.md"
DISPUTED = 2
"""So many missions are what both people mostly work on."""


class Person:
    """Works on one machine, in one project that both people have."""

    def __init__(self, machine: Machine, ledger: Ledger, random: Random) -> None:
        self.machine, self.ledger, self._random = machine, ledger, random
        self.project = ""
        self.reviews = ""
        """The mission whose diff this person comments on; empty for none."""
        self._workspace = machine.su_home / "workspace.db"
        self._number = 0
        self._tried = set[str]()

    def edit(self) -> None:
        """One edit, by a command; what it acknowledged is in the ledger when this returns."""
        self._number += 1
        mark = f"{self.machine.name}-{self._number}"
        listed = self.machine.read("mission", "list", "-p", "shared", "--limit", "0")
        here = [one["id"] for one in listed]
        spare = sorted(one["id"] for one in listed if one["list"] != "review")  # moved away from there, it runs again
        if self._random.random() < 0.6:
            spare = spare[:DISPUTED]
        kinds: dict[Callable[[str, str], None], int] = {
            self._title: 5,
            self._description: 5,
            self._priority: 2,
            self._place: 2,
            self._note: 1,
            self._attach: 1,
            self._memory: 2,
            self._actor: 1,
            self._settings: 1,
            self._flow: 1,
            self._delete: 1 if len(here) > 6 else 0,
            self._comment: 2 if self.reviews in here else 0,
        }
        if len(here) < 4 or self._random.random() < 0.2:
            return self._create(mark)
        kind = self._random.choices(list(kinds), list(kinds.values()))[0]
        mission = self.reviews if kind == self._comment else self._random.choice(spare)
        try:
            kind(mission, mark)
        except WentWrong:
            if mission not in self.ledger.gone:
                raise  # else the other one's deletion has come since it was listed
        return None

    def decide(self) -> int:
        """Settle every conflict as it is shown, one's own way or, in a third of the cases, the hub's; and try once more
        what was refused, then give it up. Returns how many there were.
        """
        found = self.machine.read("conflicts", "list", "-p", "shared")
        for listed in found:
            with suppress(WentWrong):  # the one before it has settled it
                shown = self.machine.read("conflicts", "show", listed["id"])
                mine = self._random.random() < 2 / 3
                self._settle(shown, mine)
        refused = self.machine.read("sync", "--parked", "-p", "shared")
        for one in refused:
            about = json.dumps(one["patch"], sort_keys=True)
            again = about not in self._tried
            self._tried.add(about)
            self.machine.run("sync", "--retry" if again else "--discard", str(one["number"]))
            if not again:
                self.ledger.given_up(f"{self.machine.name}'s giving up of what was refused", one["patch"])
        return len(found) + len(refused)

    def _settle(self, shown: dict[str, Any], mine: bool) -> None:
        what = shown.get("field") or shown["kind"]
        about = f"{self.machine.name}'s decision on {shown.get('part') or 'mission'} {what}"
        try:
            self.machine.run("conflicts", "resolve", "--mine" if mine else "--theirs", shown["id"])
        except WentWrong:
            if not mine:
                raise
            mine = False  # what it was about is gone: the command says to keep theirs
            self.machine.run("conflicts", "resolve", "--theirs", shown["id"])
        self.ledger.decided(about, shown, mine=mine)

    # -- missions

    def _create(self, mark: str) -> None:
        made = self.machine.read("mission", "create", f"Do {mark}", "-d", f"First line of {mark}", "-p", "shared")
        self._acknowledged("create", {}, mark, made["id"])

    def _title(self, mission: str, mark: str) -> None:
        self._field(mission, "title", f"Do {mark}")

    def _description(self, mission: str, mark: str) -> None:
        """A line is added or replaced; the others stay."""
        lines = str(self._document("mission", mission).get("description") or "").splitlines()
        at = self._random.randrange(len(lines) + 1)
        self._field(mission, "description", "\n".join([*lines[:at], f"Line of {mark}", *lines[at + 1 :]]))

    def _field(self, mission: str, field: str, value: str) -> None:
        newest = self._newest_event()
        self.machine.run("mission", "edit", mission, f"--{field}", value)
        before, after = self._changed(mission, field, newest)
        self._acknowledged(f"{field} of {mission}", before, after, mission)

    def _priority(self, mission: str, mark: str) -> None:
        self.machine.run("mission", "edit", mission, "--priority", str(self._random.randint(1, 5)))

    def _place(self, mission: str, mark: str) -> None:
        self.machine.run("mission", "move", mission, "todo", "--top")

    def _delete(self, mission: str, mark: str) -> None:
        self.machine.run("mission", "delete", mission)
        self.ledger.deleted(f"{self.machine.name}'s deletion of {mission}", mission)

    def _attach(self, mission: str, mark: str) -> None:
        file = self.machine.home / f"{mark}.txt"
        file.write_text(f"The file {mark}\n" * 500)
        self.machine.run("mission", "attach", mission, str(file))
        file.unlink()
        self._acknowledged("file", {}, mark, mission)

    def _comment(self, mission: str, mark: str) -> None:
        self.machine.run("mission", "comment", "add", mission, f"{COMMENTED}:1", f"Why {mark}?")
        self._acknowledged("comment", {}, mark, mission)

    def _note(self, mission: str, mark: str) -> None:
        """As an MCP client of the person's own writes it."""
        client = {"name": "day", "version": "1"}
        opening = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        call = {"name": "add_note", "arguments": {"text": f"Noted {mark}", "kind": "decision", "mission": mission}}
        answers = self._mcp(("initialize", opening), ("tools/call", call))
        if answers[-1].get("error") or answers[-1]["result"].get("isError"):
            raise WentWrong(f"add_note: {answers[-1]}")
        self._acknowledged("note", {}, mark, mission)

    # -- what belongs to the project

    def _memory(self, mission: str, mark: str) -> None:
        self.machine.run("memory", "append", DOCUMENT, f"- decided {mark}", "-p", "shared")
        self._acknowledged("memory", {}, mark)

    def _actor(self, mission: str, mark: str) -> None:
        found = next((one for one in self.machine.read("actor", "list", "-p", "shared") if one["name"] == ACTOR), None)
        if found is None or self._random.random() < 0.3:
            made = self.machine.read("actor", "add", f"Like {mark}", "--focus", f"on {mark}", "-p", "shared")
            return self._acknowledged("actor", {}, made)
        self.machine.run("actor", "edit", ACTOR, "--methodology", f"As {mark} says", "-p", "shared")
        return self._part(f"methodology of {ACTOR}", found["id"], "methodology", mark)

    def _settings(self, mission: str, mark: str) -> None:
        self.machine.run("project", "edit", "shared", "--description", f"About {mark}")
        self._part("description of the project", self.project, "description", mark)

    def _flow(self, mission: str, mark: str) -> None:
        """As the project's screen does it; no command does."""
        words = (
            "import sys\nfrom solo_unicorn.workspace import operations, queries\n"
            "from solo_unicorn.workspace.workspace import Workspace\nwith Workspace.open() as opened:\n"
            "    flow = opened.read(queries.projects.flow, sys.argv[1], 'shared')\n"
            "    opened.write(operations.projects.describe_flow, flow.id, description=sys.argv[2])"
        )
        command = [self.machine.program[0], "-c", words, FLOW, f"Flow of {mark}"]
        done = subprocess.run(command, env=self.machine.environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise WentWrong(done.stderr)
        with reading(self._workspace) as connection:
            query = "SELECT id FROM flow WHERE project_id = ? AND name = ?"
            (flow,) = connection.execute(query, (self.project, FLOW)).fetchone()
        self._part(f"description of {FLOW}", flow, "description", mark)

    def _part(self, about: str, part: str, field: str, mark: str) -> None:
        """What the edit was made on is in the machine's journal of what waits to be sent.

        One that joins an edit which was not sent yet replaces that one's value, and keeps what it was made on.
        """
        rows = [
            json.loads(line)
            for line in (self._workspace.parent / "workspace.outbox.journal").read_text().splitlines()
            if part in line
        ]
        newest = next((row for row in reversed(rows) if mark in json.dumps(row)), None)
        if newest is None:
            raise WentWrong(f"{mark} was acknowledged and is not in the journal")
        joined = [row["patch"] for row in rows if row["mutation_id"] == newest["mutation_id"]]
        seen = json.loads(newest["seen"]) if isinstance(newest["seen"], str) else newest["seen"]
        before = [seen.get(field), *(patch for patch in joined if mark not in json.dumps(patch))]
        self._acknowledged(about, before, mark)

    # -- reading what the machine has

    def _acknowledged(self, what: str, before: Any, after: Any, mission: str = "") -> None:
        self.ledger.edited(f"{self.machine.name}'s {what}", before, after, mission=mission)

    def _document(self, table: str, key: str) -> dict[str, Any]:
        with reading(self._workspace) as connection:
            (doc,) = connection.execute(f"SELECT doc FROM {table} WHERE id = ?", (key,)).fetchone()
        return dict(json.loads(doc))

    def _newest_event(self) -> int:
        with reading(self._workspace) as connection:
            return int(connection.execute("SELECT max(seq) FROM event").fetchone()[0])

    def _changed(self, mission: str, field: str, after: int) -> tuple[Any, Any]:
        """(before, after) of the edit in the mission's history."""
        with reading(self._workspace) as connection:
            query = "SELECT changes FROM event WHERE mission_id = ? AND seq > ? AND kind = 'edited' ORDER BY seq"
            for (changes,) in connection.execute(query, (mission, after)):
                if field in (found := json.loads(changes)):
                    before, value = found[field]
                    return before, value
        raise WentWrong(f"the {field} of {mission} was changed, and its history does not say so")

    def _mcp(self, *requests: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers of `solo-unicorn mcp` to requests, one after the other."""
        with subprocess.Popen(
            [*self.machine.program, "mcp"], env=self.machine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        ) as client:  # fmt: skip
            assert client.stdin is not None and client.stdout is not None
            answers = []
            for number, (method, params) in enumerate(requests):
                message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                client.stdin.write(json.dumps(message) + "\n")
                client.stdin.flush()
                answers.append(self._answer(client.stdout, number))
                if method == "initialize":
                    client.stdin.write('{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
            client.stdin.close()
        return answers

    @staticmethod
    def _answer(lines: Any, number: int) -> dict[str, Any]:
        for line in lines:
            if (found := json.loads(line)).get("id") == number:
                return dict(found)
        raise WentWrong("solo-unicorn mcp ended without an answer")
