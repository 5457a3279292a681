"""Is a repository on GitHub, and may we? One short question, as `repo add` asks it."""

from __future__ import annotations

from ...missions.entities import ProjectRepository
from ...missions.errors import NotFound
from .client import GitHub
from .hosts import Host, RepositoryName, name_of
from .pulls import GitHubRepository, repository

SECONDS = 10.0


def identify(linked: ProjectRepository, api_url: str = "") -> GitHubRepository:
    """What GitHub says of a linked repository; raises SignedOut, Offline, NotFound … and waits for nothing."""
    name = name_of(linked)
    if name is None:
        raise NotFound(f"{linked.name} is not on GitHub")
    return ask(name, api_url)


def ask(name: RepositoryName, api_url: str = "") -> GitHubRepository:
    """What GitHub says of a repository, asked once."""
    github = GitHub(Host.of(name.host, api_url), patience=0.0, timeout=SECONDS, tries=1)
    try:
        return repository(github, name)
    finally:
        github.close()
