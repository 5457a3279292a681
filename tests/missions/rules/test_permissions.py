"""Rules on what agents ask: which fits, which wins, and what none may allow by accident."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.permissions import Effect, PermissionRule, check, decide, subject

AT = datetime(2026, 5, 4, tzinfo=UTC)
TREE = "/home/me/tree"


def rule(effect: Effect, tool: str, about: str = "", *, pattern: bool = True) -> PermissionRule:
    return PermissionRule(1, "p", tool, about, AT, effect, pattern)


@pytest.mark.parametrize(
    ("rules", "tool", "given_", "said"),
    [
        ([], "Bash", {"command": "npm test"}, None),
        ([rule("allow", "Bash", "npm test", pattern=False)], "Bash", {"command": "npm test"}, "allow"),
        ([rule("allow", "Bash", "npm test", pattern=False)], "Bash", {"command": "npm test -- --watch"}, None),
        ([rule("allow", "Bash", "npm test*")], "Bash", {"command": "npm test -- --watch"}, "allow"),
        ([rule("allow", "Bash", "npm test*")], "Bash", {"command": "npm test; rm -rf ~"}, None),
        ([rule("allow", "Bash", "npm *")], "Bash", {"command": "npm run $(rm -rf ~)"}, None),
        ([rule("deny", "Bash", "rm *")], "Bash", {"command": "cd x && rm -rf y"}, "deny"),
        ([rule("deny", "*", "*.env"), rule("allow", "Write", "*")], "Write", {"file_path": f"{TREE}/.env"}, "deny"),
        ([rule("allow", "Write", "docs/*")], "Write", {"file_path": f"{TREE}/docs/a/b.md"}, "allow"),
        ([rule("allow", "Write", "docs/*")], "Write", {"file_path": f"{TREE}/docs/../src/a.py"}, None),
        ([rule("allow", "Write", "*")], "Write", {"file_path": "/etc/passwd"}, None),
        ([rule("allow", "Write", "/etc/*")], "Write", {"file_path": "/etc/hosts"}, "allow"),
        ([rule("deny", "Write", "*")], "Write", {"file_path": "/etc/hosts"}, "deny"),
        ([rule("ask", "Bash", "git push*"), rule("allow", "Bash", "git *")], "Bash", {"command": "git push"}, "ask"),
        ([rule("ask", "Bash"), rule("allow", "Bash", "ls", pattern=False)], "Bash", {"command": "ls"}, "allow"),
        ([rule("allow", "WebSearch", pattern=False)], "WebSearch", {"query": "x"}, "allow"),
        (
            [rule("allow", "WebFetch", "https://docs.python.org/*")],
            "WebFetch",
            {"url": "https://docs.python.org/3/"},
            "allow",
        ),
        ([rule("allow", "Bash", "echo [a]*")], "Bash", {"command": "echo a"}, None),
    ],
)
def test_what_the_rules_say(
    rules: list[PermissionRule], tool: str, given_: dict[str, str], said: Effect | None
) -> None:
    assert decide(rules, tool, dict(given_), TREE) == said


def test_what_a_call_is_about() -> None:
    assert subject({"command": "ls"}) == "ls"
    assert subject({"file_path": "a/../b.txt"}, TREE) == "b.txt"
    assert subject({"file_path": "../b.txt"}, TREE) == "/home/me/b.txt"
    assert subject({"query": "x"}) == ""


@pytest.mark.parametrize(
    ("tool", "about", "effect"), [("*", "", "allow"), ("*", "*", "allow"), ("", "x", "deny"), ("Bash", "ls", "perhaps")]
)
def test_rules_that_nobody_can_mean_are_refused(tool: str, about: str, effect: str) -> None:
    with pytest.raises(InvalidValue):
        check(tool, about, effect, pattern=True)
    check("*", "", "deny", pattern=True)


_words = st.text("abc */;&|$()`\n.", max_size=12)
_rules = st.builds(
    rule, st.sampled_from(["allow", "ask", "deny"]), st.sampled_from(["Bash", "B*", "*"]), _words, pattern=st.booleans()
)


@given(st.lists(_rules, max_size=5), _words)
def test_a_fitting_refusal_always_wins(rules: list[PermissionRule], command: str) -> None:
    one = decide([rule("deny", "Bash", command, pattern=False), *rules], "Bash", {"command": command}, TREE)
    assert one == "deny"


@given(st.lists(_rules, max_size=5), _words, _words)
def test_no_pattern_allows_a_second_command(rules: list[PermissionRule], first: str, second: str) -> None:
    patterns = [one for one in rules if one.pattern and one.subject]
    assert decide(patterns, "Bash", {"command": f"{first};{second}"}, TREE) != "allow"


@given(st.lists(st.builds(rule, st.just("allow"), st.just("Write"), st.text("ab*./", min_size=1)), max_size=5))
def test_no_relative_pattern_allows_a_file_elsewhere(rules: list[PermissionRule]) -> None:
    relative = [one for one in rules if not one.subject.startswith("/")]
    assert decide(relative, "Write", {"file_path": "/home/me/other/a"}, TREE) is None


LINKS = {f"{TREE}/docs/link.md": f"{TREE}/secret/a.md", f"{TREE}/out": "/etc/passwd"}


def real(path: str) -> str:
    return LINKS.get(path, path)


@pytest.mark.parametrize(
    ("rules", "tool", "path", "said"),
    [
        ([rule("deny", "Edit", "secret/*")], "Edit", "docs/link.md", "deny"),
        ([rule("deny", "Edit", "docs/*")], "Edit", "docs/link.md", "deny"),
        ([rule("ask", "Edit", "/etc/*")], "Edit", "out", "ask"),
        ([rule("allow", "Edit", "docs/*")], "Edit", "docs/link.md", None),
        ([rule("allow", "Edit", "docs/link.md", pattern=False)], "Edit", "docs/link.md", None),
        ([rule("allow", "Edit", "docs/*"), rule("allow", "Edit", "*")], "Edit", "docs/link.md", "allow"),
        ([rule("allow", "Edit", "*")], "Edit", "out", None),
        ([rule("deny", "Write", "docs/*")], "Edit", "docs/a.md", "deny"),
        ([rule("deny", "Edit", "docs/*")], "Read", "docs/a.md", None),
        ([rule("allow", "Write", "docs/*")], "Edit", "docs/a.md", None),
        ([rule("deny", "Edit", "docs/*")], "Delete", "docs", "deny"),
        ([rule("deny", "Edit", "docs/*")], "Write", "docs", None),
    ],
)
def test_a_link_is_held_by_both_its_names_and_a_refusal_is_for_every_way_to_change_a_file(
    rules: list[PermissionRule], tool: str, path: str, said: Effect | None
) -> None:
    assert decide(rules, tool, {"file_path": path}, TREE, real=real) == said
