"""Which repository on which host, and where that host's API is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...missions.entities import ProjectRepository
from ...missions.errors import InvalidValue

GITHUB = "github.com"


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """`owner/name` on a host."""

    host: str
    owner: str
    name: str

    @property
    def full_name(self) -> str:
        """As GitHub writes it."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Host:
    """One GitHub with the addresses of its two APIs."""

    name: str
    rest: str
    graphql: str

    @classmethod
    def of(cls, name: str, api_url: str = "") -> Host:
        """The host of that name. `api_url` is the REST API of an Enterprise host where that is elsewhere than usual (a
        token of github.com goes to github.com only); InvalidValue when a token could be read on the way there.

        Usual: api.github.com, api.NAME of a tenant at ghe.com, /api/v3 and /api/graphql of GitHub Enterprise Server.
        """
        name = name.lower()
        if api_url and not is_public(name):
            rest = _checked(api_url)
            return cls(name, rest, f"{rest.removesuffix('/v3')}/graphql")
        if is_public(name):
            return cls(name, f"https://api.{name}", f"https://api.{name}/graphql")
        return cls(name, f"https://{name}/api/v3", f"https://{name}/api/graphql")

    @property
    def is_usual(self) -> bool:
        """Whether its API is where its name says, so that `gh` finds it too."""
        return self == Host.of(self.name)


def is_public(name: str) -> bool:
    """Whether GitHub itself runs that host: github.com, and tenants at ghe.com."""
    return name == GITHUB or name.endswith(".ghe.com")


def name_of(repository: ProjectRepository) -> RepositoryName | None:
    """The repository's name on GitHub, or None when it is not there."""
    if not repository.github_owner or not repository.github_name:
        return None
    host = urlsplit(repository.github_url).hostname or GITHUB
    return RepositoryName(_canonical(host), repository.github_owner, repository.github_name)


def enterprise_name(url: str, hosts: str) -> RepositoryName | None:
    """The repository a remote's URL names, when it is on one of these hosts (separated by commas)."""
    found = _REMOTE.fullmatch(url.strip())
    if found is None or found["host"].lower() not in {host.strip().lower() for host in hosts.split(",")}:
        return None
    return RepositoryName(found["host"].lower(), found["owner"], found["name"])


_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+)(?::\d+)?[:/]+"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?"
)


def _canonical(host: str) -> str:
    return GITHUB if host in ("www.github.com", "ssh.github.com") else host


def _checked(url: str) -> str:
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))
    if not safe or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise InvalidValue(
            "github.api_url",
            f"{parts.scheme}://{parts.hostname or ''} cannot be the address of a GitHub API",
            why="tokens are sent there, so it must be an https address without user, query or fragment",
            todo="`solo-unicorn config set github.api_url https://HOST/api/v3`",
        )
    return url.rstrip("/")
