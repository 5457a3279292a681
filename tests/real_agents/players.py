"""How a scripted model speaks through each real agent: what its tools are called, and how its service refuses.

To add an agent: a fixture in conftest.py that puts it on the PATH, signed in, with the scripted model behind it; and a
`Player` in `PLAYERS`. Every test that is parametrised by `PLAYERS` runs with it then (test_misbehaving, test_courses).
What an agent is known not to do belongs into `without`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .scripted_model import Answer, Asked, Call, Failure, Use
from .worker import FILE, facts

LIMIT = "a_usage_limit_parks_agent_and_mission_until_it_resets"


@dataclass(frozen=True)
class Player:
    """One agent, and how a model behind it says things."""

    agent: str
    """Its type; `agent_on_path` asks for the fixture of that name."""
    tool: Callable[[str], str]
    """The name under which it offers one of our tools."""
    shell: Callable[[str], Use]
    overloaded: Failure
    refused_sign_in: Failure
    models: tuple[str, str]
    """Two models that it takes."""
    limit: Callable[[int], Failure]
    """Its usage limit is reached, until that second."""
    subscription: Mapping[str, str] = field(default_factory=dict)
    """What has it use a subscription, the only kind of account that has such limits."""
    keys: tuple[str, ...] = ()
    """Variables that would have it use a key instead."""
    in_background: Callable[[str], Use] | None = None
    """A command that goes on beside the turn; None: it has no way."""
    asks_first: bool = False
    """It asks for each command: a course needs a rule that allows them."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Scenarios that it is not asked to play, each with the reason."""

    def ours(self, tool: str, **arguments: Any) -> Use:
        """A call of one of our tools."""
        return Use(self.tool(tool), arguments)

    def finish(self, summary: str = "The file is written and committed.") -> Answer:
        """The stage is reported as complete."""
        return [self.ours("complete_stage", summary=summary, to_check=FILE)]

    def write(self, text: str = "Hello, world", message: str = "Greet the world") -> list[Answer]:
        """The file is written and committed, by the shell."""
        return [
            [self.shell(f"echo '{text}' > {FILE}")],
            [self.shell(f"git add {FILE} && git commit -q -m '{message}'")],
        ]


def mission_of(call: Call) -> dict[str, Any]:
    """What get_context told; some agents put words of their own before it."""
    return facts(call.result[call.result.index("{") :])


def step(asked: Asked, *answers: Answer) -> Answer:
    """The answer after as many calls as were answered since the prompt; the last one again and again."""
    return answers[min(len(asked.calls), len(answers) - 1)]


def _claude_background(command: str) -> Use:
    return Use("Bash", {"command": command, "description": "Begin", "run_in_background": True})


def _claude_limit(reset: int) -> Failure:
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(reset),
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }
    return Failure(429, "rate_limit_error", "This request would exceed your account's rate limit", headers)


def _codex_limit(reset: int) -> Failure:
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(reset),
    }
    return Failure(429, "usage_limit_reached", "The usage limit has been reached", headers)


def _gemini_limit(_reset: int) -> Failure:
    violation = {"quotaMetric": "generate_content", "quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
    return Failure(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details=(quota,))


def _gemini_background(command: str) -> Use:
    return Use("run_shell_command", {"command": command, "description": "Begin", "is_background": True})


PLAYERS = (
    Player(
        agent="claude",
        tool=lambda name: f"mcp__solo__{name}",
        shell=lambda command: Use("Bash", {"command": command, "description": "Work"}),
        overloaded=Failure(529, "overloaded_error", "Overloaded"),
        refused_sign_in=Failure(401, "authentication_error", "invalid x-api-key"),
        models=("claude-sonnet-4-5", "claude-opus-4-5"),
        limit=_claude_limit,
        subscription={"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-scripted"},
        keys=("ANTHROPIC_API_KEY",),
        in_background=_claude_background,
    ),
    Player(
        agent="codex",
        tool=lambda name: f"mcp__solo.{name}",
        shell=lambda command: Use("exec_command", {"cmd": command, "yield_time_ms": 30000}),
        overloaded=Failure(503, "server_error", "overloaded"),
        refused_sign_in=Failure(401, "invalid_api_key", "Incorrect API key provided"),
        models=("gpt-5.5", "gpt-5.4"),
        limit=_codex_limit,
        in_background=lambda command: Use("exec_command", {"cmd": command, "yield_time_ms": 250}),
    ),
    Player(
        agent="gemini",
        tool=lambda name: f"mcp_solo_{'ask_person' if name == 'ask_user' else name}",
        shell=lambda command: Use("run_shell_command", {"command": command, "description": "Work"}),
        overloaded=Failure(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        refused_sign_in=Failure(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        models=("gemini-2.5-pro", "gemini-3.5-flash-lite"),
        limit=_gemini_limit,
        in_background=_gemini_background,
        asks_first=True,
        without={
            LIMIT: "it does not tell when its limit ends",
            "a_stop_and_the_same_conversation_afterwards": "it keeps no conversation whose first turn was broken off",
        },
    ),
    Player(
        agent="opencode",
        tool=lambda name: f"solo_{name}",
        shell=lambda command: Use("bash", {"command": command, "description": "Work"}),
        overloaded=Failure(529, "overloaded_error", "Overloaded"),
        refused_sign_in=Failure(401, "authentication_error", "invalid x-api-key"),
        models=("anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-5"),
        limit=_claude_limit,
        asks_first=True,
        without={LIMIT: "it does not tell when its limit ends"},
    ),
)
