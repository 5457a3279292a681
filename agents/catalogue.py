"""Which code agents there are and how each is found, asked and started: data in `catalogue/*.toml`.

A person adds agents, or corrects ours, by files of the same shape in the directory `agents` of the home; theirs win.
Every list of arguments may hold `{placeholders}`; an argument list that needs a value nobody gave is left out whole.
A placeholder whose name ends in `_quoted` gives the value as a TOML string.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

from ..missions.errors import InvalidValue, NotFound
from ..system import strict_toml

BUILT_IN = Path(__file__).parent / "catalogue"


@dataclass(frozen=True, slots=True)
class VersionCheck:
    """How to ask the binary for its version, and from which version on we can work with it."""

    arguments: tuple[str, ...] = ("--version",)
    """Empty: it cannot be asked; that it is there is all that is looked at."""
    pattern: str = r"(\d+\.\d+(?:\.\d+)?)"
    minimum: str = ""


@dataclass(frozen=True, slots=True)
class SignInCheck:
    """How to ask whether the agent is signed in: by exit code, and by patterns when the exit code does not tell."""

    arguments: tuple[str, ...] = ()
    """Empty: it cannot be asked; a run will tell."""
    signed_in: str = ""
    signed_out: str = ""
    unless_variables: tuple[str, ...] = ()
    """With one of these set it may work without being signed in: "signed out" says nothing then."""
    unless_files: tuple[str, ...] = ()
    """Nor where one of these files (`~` and `$VARIABLES` are filled in) has what `unless_pattern` finds."""
    unless_pattern: str = ""
    key_variables: tuple[str, ...] = ()
    """With one of these set it uses that key, and bills it, whatever subscription is signed in."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How to start it on a prompt."""

    arguments: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    """With `{conversation}`; empty when it cannot go on with an earlier conversation."""
    loses_within_minute: bool = False
    """Over ACP: a conversation that is loaded within the clock's minute in which it was opened is lost."""
    model: tuple[str, ...] = ()
    permission_mode: tuple[str, ...] = ()
    default_permission_mode: str = ""
    cautious_permission_mode: str = ""
    """Instead of the default one where a project's rules ask or deny: it asks before each change."""
    cautious_permissions: tuple[str, ...] = ()
    """Instead of `permission_mode` there; empty: the same."""
    rules: tuple[str, ...] = ()
    """With `{rules_file}`, the file that holds the project's rules where one asks or denies."""
    skip_permissions: tuple[str, ...] = ()
    """Instead of `permission_mode`, when a person opted in."""
    guard: Literal["asks", "sandbox", "none"] = "none"
    """What holds it: it asks us, so that the project's rules hold; a sandbox of its own; nothing that is known."""
    own_sandbox: str = ""
    """What a sandbox of its own leaves it, in a few words; empty: it has none."""
    effort: tuple[str, ...] = ()
    """With `{effort}`, in the agent's own word."""
    fallback_model: tuple[str, ...] = ()
    """With `{fallback_model}`, for when the model is overloaded."""
    budget: tuple[str, ...] = ()
    """With `{budget}`, what the run may cost at most, in US dollars."""
    only_ours: tuple[str, ...] = ()
    """When a person wants it to have no MCP servers but ours."""
    mcp: tuple[str, ...] = ()
    """With `{mcp_file}`, the file that holds our server's address and token for this run alone."""
    mcp_environment: Mapping[str, str] = field(default_factory=dict)
    mcp_format: Literal["claude", "gemini", "opencode", "amp", "plain"] = "claude"
    prompt: Literal["claude", "text"] = "text"
    """How a prompt is written to its standard input: as a message of Claude's stream-json, or as it is."""
    listens: bool = False
    """Its standard input stays open, so that a person can say something while it works."""
    interrupt: Literal["signal", "claude"] = "signal"
    files: tuple[str, ...] = ()
    """With `{files_dir}`, the directory of the mission's files, where it may read nothing outside its worktree.

    Over ACP an option of the agent itself, for one that takes no more directories by the protocol.
    """
    around: tuple[str, ...] = ()
    """With `{around}`, its worktree, where it starts in a folder of it and may change nothing outside that."""
    image: tuple[str, ...] = ()
    """With `{image}`, once for each image among them."""
    images_in_prompt: bool = False
    """Images go into its prompt, as blocks of a message of Claude's stream-json."""
    sign_in: Mapping[str, str] = field(default_factory=dict)
    """Over ACP, by a variable that holds a key: the agent's own name of the way to sign in with it."""
    open: tuple[str, ...] = ()
    """With `{conversation}`: what a person types to go on with it in the agent's own interface."""
    result_types: tuple[str, ...] = ()
    """Values of `type` of the line with which it ends its turn."""
    exit_codes: Mapping[str, str] = field(default_factory=dict)
    """What an exit code means when no line says it: "41" = "signed_out"; the kinds are those of events.ErrorKind."""
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    """Variables it must not inherit."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Its plain mode, by lines it prints, for versions without the protocol by which we speak with it otherwise."""

    parser: str
    turn: Turn
    below: str = ""
    """The first version with the protocol; empty: all have it, and only a person chooses the plain mode."""


@dataclass(frozen=True, slots=True)
class SandboxNeeds:
    """What the agent needs of the person's home in a sandbox (agents/sandbox); `~` is the home."""

    own: tuple[str, ...] = ()
    """Its sign-in, conversations and caches: writable."""
    own_variables: tuple[str, ...] = ()
    """Environment variables that name another place for those."""
    in_our_home: tuple[str, ...] = ()
    """The same, by its name in the home of this program; made when absent."""
    fixed: tuple[str, ...] = ()
    """Of those, what starts programs when the person uses the agent: to be read only."""
    nests: bool = False
    """It runs commands in a sandbox of its own."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variable to a place that it signs in with where that variable is set: `~/.aws` for Bedrock."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One kind of code agent."""

    type: str
    title: str
    parser: str
    transport: Literal["lines", "acp", "app_server"] = "lines"
    """`acp`: it speaks the Agent Client Protocol when started with `turn.arguments`; `app_server`: that of Codex. An
    adapter stands between it and us then, and the rest of `turn` is the adapter's."""
    binaries: tuple[str, ...] = ()
    """Names to look for on the PATH, the first found wins."""
    command: tuple[str, ...] = ()
    """The whole command instead, for an agent that is not a binary; may hold `{python}`."""
    places: tuple[str, ...] = ()
    """Paths to look at when the PATH has none; `~` is the home."""
    install: str = ""
    """What to do when it is missing, as the end of a sentence."""
    sign_in: str = ""
    """What to do when it is signed out, as the end of a sentence."""
    version: VersionCheck = VersionCheck()
    sign_in_check: SignInCheck = SignInCheck()
    turn: Turn = Turn()
    plain: Plain | None = None
    is_plain: bool = False
    """It is the plain mode of an entry that has another (`door`)."""
    sandbox: SandboxNeeds = SandboxNeeds()


def load(*, own: Path | None = None) -> dict[str, CatalogueEntry]:
    """All entries by type; those of the directory `own` (config.paths.agents_dir()) replace ours of the same type.

    Raises InvalidValue naming the file and the key.
    """
    entries: dict[str, CatalogueEntry] = {}
    for directory in (BUILT_IN, own):
        if directory is not None and directory.is_dir():
            for path in sorted(directory.glob("*.toml")):
                entry = read(path)
                entries[entry.type] = entry
    return entries


def entry(type_: str, *, own: Path | None = None) -> CatalogueEntry:
    """The entry of that type; NotFound names the types there are."""
    entries = load(own=own)
    if type_ not in entries:
        raise NotFound(
            f"There is no code agent of the type {type_!r}",
            why=f"the catalogue has {', '.join(sorted(entries))}",
            todo="name one of these, or describe yours in a file in the directory agents of your home",
        )
    return entries[type_]


def read(path: Path) -> CatalogueEntry:
    """One file; its name without the ending is the type."""
    try:
        document = strict_toml.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(path, "", f"it cannot be read: {error}") from error
    if (transport := document.get("transport")) in ADAPTERS:
        document = {"parser": transport, **document}
    made: CatalogueEntry = _made(CatalogueEntry, {"type": path.stem, **document}, path, "")
    return adapted(made) if made.transport in ADAPTERS else made


ADAPTERS: dict[str, tuple[str, ...]] = {
    name: ("-P", "-m", f"solo_unicorn.agents.{name}", "--worktree", "{worktree}", "--start", "{start}")
    for name in ("acp", "app_server")
}
"""By transport, the program of ours between the session host and the agent."""
_ADAPTED = Turn(
    resume=("--resume", "{conversation}"),
    model=("--model", "{model}"),
    skip_permissions=("--allow-all",),
    rules=("--rules-file", "{rules_file}"),
    mcp=("--mcp-file", "{mcp_file}"),
    mcp_format="plain",
    prompt="claude",
    guard="asks",
    listens=True,
    interrupt="claude",
)
ADAPTER_FILES = ("--directory", "{files_dir}")
ADAPTER_LATER = ("--not-before", "{not_before}")
ADAPTER_FRESH = ("--fresh-file", "{fresh_file}")


def adapted(found: CatalogueEntry) -> CatalogueEntry:
    """The entry with what the adapter between the session host and the agent takes."""
    turn = replace(
        _ADAPTED,
        arguments=found.turn.arguments,
        environment=found.turn.environment,
        unset=found.turn.unset,
        open=found.turn.open,
        own_sandbox=found.turn.own_sandbox,
        default_permission_mode=found.turn.default_permission_mode,
    )
    if found.transport == "acp":
        turn = replace(
            turn,
            permission_mode=("--mode", "{permission_mode}"),
            effort=("--effort", "{effort}"),
            files=found.turn.files,
            around=found.turn.around,
            images_in_prompt=True,
            sign_in=found.turn.sign_in,
            loses_within_minute=found.turn.loses_within_minute,
            result_types=("result",),
        )
    else:
        turn = replace(
            turn,
            permission_mode=("--sandbox", "{permission_mode}"),
            effort=("--effort", "{effort}"),
            image=("--image", "{image}"),
            result_types=("taken", "result"),
        )
    return replace(found, turn=turn)


def door(found: CatalogueEntry, version: str | None, *, plain: bool = False) -> CatalogueEntry:
    """The entry by which this version is started; `plain`: a person wants its plain mode, where it has another."""
    other = found.plain
    if other is None or not (plain or (version and _numbers(version) < _numbers(other.below))):
        return found
    return replace(found, parser=other.parser, transport="lines", turn=other.turn, plain=None, is_plain=True)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def filled(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments with their placeholders replaced; nothing at all when one of them has no value."""
    named = {name for argument in arguments for name in _PLACEHOLDER.findall(argument)}
    if any(not values.get(name) for name in named):
        return []
    return [_PLACEHOLDER.sub(lambda match: values[match[1]], argument) for argument in arguments]


def base_command(found: CatalogueEntry, binary: str) -> list[str]:
    """What comes before the arguments: the binary, or the entry's own command."""
    return filled(found.command, {"python": binary or sys.executable}) if found.command else [binary]


_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PARTS: dict[str, type] = {
    "version": VersionCheck,
    "sign_in_check": SignInCheck,
    "turn": Turn,
    "plain": Plain,
    "sandbox": SandboxNeeds,
    "plain.turn": Turn,
}


def _made(kind: type[Any], values: Mapping[str, object], path: Path, prefix: str) -> Any:
    known = {item.name: item for item in fields(kind)}
    hints = get_type_hints(kind)
    given: dict[str, object] = {}
    for name, value in values.items():
        if name not in known:
            raise _wrong(path, prefix + name, "there is no such key", f"the known keys are {', '.join(known)}")
        given[name] = _value(name, value, str(hints[name]), path, prefix)
    for name, item in known.items():
        if name not in given and item.default is MISSING and item.default_factory is MISSING:
            raise _wrong(path, prefix + name, "this key is missing", "add it")
    return kind(**given)


def _value(name: str, value: object, hint: str, path: Path, prefix: str) -> object:
    match value:
        case dict() if prefix + name in _PARTS:
            return _made(_PARTS[prefix + name], value, path, f"{prefix}{name}.")
        case dict() if "Mapping" in hint and all(isinstance(item, str) for item in value.values()):
            return value
        case list() if "tuple" in hint and all(isinstance(item, str) for item in value):
            return tuple(value)
        case bool() if "bool" in hint:
            return value
        case str() if "Literal" in hint and f"'{value}'" in hint:
            return value
        case str() if hint == "<class 'str'>":
            return _regular(value, path, prefix + name) if name in _PATTERNS else value
    raise _wrong(path, prefix + name, f"{value!r} is not a valid value for it")


_PATTERNS = {"pattern", "signed_in", "signed_out"}


def _regular(value: str, path: Path, key: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise _wrong(path, key, f"{value!r} is not a valid regular expression: {error}") from error
    return value


def _wrong(path: Path, key: str, why: str, todo: str = "") -> InvalidValue:
    what = f"The agent catalogue file {path} is wrong" + (f" at {key}" if key else "")
    return InvalidValue(key, what, why=why, todo=todo or "correct the file, or remove it")
