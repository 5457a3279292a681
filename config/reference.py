"""docs/configuration.md, made from the table of settings (a test keeps it current)."""

from __future__ import annotations

from .document import shown
from .settings import SCHEMA

OPENING = """\
# Settings

Settings are in `config.toml` in the home of solo-unicorn: `~/.solo-unicorn`, or the directory `SOLO_UNICORN_HOME`
names. `solo-unicorn config list` shows them with their values, `config get|set|reset` read and change them; comments
and order of the file are kept. A running board and service take over changes at once. An environment variable
overrides the file. Secrets are never in this file: they are in the keychain of the operating system.

This page is made from the program: `solo-unicorn config list --markdown > docs/configuration.md`.

| key | default | takes | meaning |
| --- | --- | --- | --- |
"""

CLOSING = """
`<name>` is the name of an agent, `<binding>` the id of a command on screen (the help, `?`, names them). The environment
variable of a key is `SOLO_UNICORN_` and the key in capitals with `_` for `.` and `-`: `SOLO_UNICORN_WORKSTATION_SLOTS`,
`SOLO_UNICORN_AGENTS_CLAUDE_MODEL`. Keys of commands have none.

Three more variables are read: `SOLO_UNICORN_HOME` (where everything lives), `SOLO_UNICORN_RUNTIME_DIR` (a short
directory for sockets, for a home on a file system that has none), `NO_COLOR`.

```toml
# ~/.solo-unicorn/config.toml
editor = "nvim"

[workstation]
slots = 6

[agents.claude]
slots = 2
model = "opus"

[agents.claude-work]   # a second one, with its own limits
type = "claude"
command = "/opt/claude-work/bin/claude"

[keys]
"board.new" = "n,insert"
```
"""


def markdown() -> str:
    """The whole page."""
    rows = [f"| `{row.name}` | `{shown(row.default)}` | {row.takes} | {row.about} |" for row in SCHEMA]
    return OPENING + "\n".join(rows) + "\n" + CLOSING
