"""What a hub is told when it starts: where it listens, where its data is, how it is reached."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from ..config.addresses import web_address
from ..missions.errors import UsageError


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Settings of one hub process."""

    data_dir: Path
    """Everything the hub keeps outside its database: the log, uploads, SQLite's file by default."""
    database_url: str = ""
    """Empty: a SQLite file in `data_dir`. Else `sqlite:///…` or `postgresql+asyncpg://…`."""
    host: str = "127.0.0.1"
    port: int = 8420
    public_url: str = ""
    """How clients reach it, without a slash at the end; empty: what the request says."""
    bus_url: str = ""
    """Fan-out between processes: empty for this process alone, `postgresql` for the database's own, `redis://…`."""
    options: dict[str, str] = field(default_factory=dict)
    """Whatever else a part of the hub reads, by its environment name without `SOLO_UNICORN_HUB_`, in lower case."""

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hub.sqlite3'}"


def reachable(settings: HubSettings) -> HubSettings:
    """The settings with a public URL: where the hub listens, unless told otherwise. It is the issuer of tokens."""
    if settings.public_url:
        if web_address(settings.public_url) is None:
            raise UsageError(
                f"{settings.public_url!r} is not a public URL",
                why="clients reach the hub there, and it is the issuer of their tokens",
                todo="give one like https://hub.example.org, as --public-url or SOLO_UNICORN_HUB_PUBLIC_URL",
            )
        return settings
    host = EVERYWHERE.get(settings.host, settings.host)
    return replace(settings, public_url=f"http://{f'[{host}]' if ':' in host else host}:{settings.port}")


EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Hosts that stand for every address of this machine, and the one under which it reaches itself."""
PREFIX = "SOLO_UNICORN_HUB_"
OWN = ("data_dir", "database_url", "host", "port", "public_url", "bus_url")
OPTIONS = (
    *("issuer", "issuer_client_id", "issuer_scopes", "issuer_web_client_id", "issuer_web_client_secret"),
    *("issuer_link_email", "issuer_sign_up", "issuer_audience_parameter", "audience", "audiences"),
    *("upload_url", "upload_bytes", "cors_origins", "metrics_token", "log_level"),
    *("rate_limits", "rate_limit_anonymous", "rate_limit_user", "rate_limit_contributor", "rate_limit_url"),
    *("audit_days", "key", "key_file", "client_redirects", "proxies"),
)
"""What parts of the hub read from `HubSettings.options` (docs/deploy/README.md, Settings)."""


def from_environment(data_dir: Path, **said: object) -> HubSettings:
    """Settings from the environment (`SOLO_UNICORN_HUB_DATABASE_URL` …); what is `said` (not None) wins."""
    options = {
        name.removeprefix(PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(PREFIX)
    }
    _check_names(options)
    values: dict[str, object] = {}
    for name in ("database_url", "host", "public_url", "bus_url"):
        if name in options:
            values[name] = options.pop(name)
    if "port" in options:
        port = options.pop("port")
        if not port.isascii() or not port.isdecimal():
            raise UsageError(f"{PREFIX}PORT is {port!r}", why="a port is a number", todo="set it to one, such as 8420")
        values["port"] = int(port)
    if "data_dir" in options:
        data_dir = Path(options.pop("data_dir"))
    values |= {name: value for name, value in said.items() if value is not None}
    return HubSettings(data_dir=data_dir, options=options, **values)  # type: ignore[arg-type]


def _check_names(given: dict[str, str]) -> None:
    """A misspelt name would leave its setting at the default, and open another database, for instance."""
    unknown = sorted(name for name in given if name not in (*OWN, *OPTIONS))
    if unknown:
        near = get_close_matches(unknown[0], (*OWN, *OPTIONS), 1, 0.6)
        raise UsageError(
            f"The hub has no setting {PREFIX}{unknown[0].upper()}",
            why="it is set in the environment, but would have no effect",
            todo=f"set {PREFIX}{near[0].upper()} instead" if near else "unset it; docs/deploy/README.md lists them",
        )
