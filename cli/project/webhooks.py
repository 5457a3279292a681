"""`repo webhook`: GitHub tells the hub of pull requests of a linked repository, with a secret of this link alone."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject, ProjectRepository
from ...missions.errors import UsageError
from ...sync import replica
from ...sync.replica.connecting import Account
from ...workspace import queries
from ..hub.talking import ask
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project


def _arguments(parser: Parser) -> None:
    parser.add_argument("repository", nargs="?", metavar="REPOSITORY", help="its name; default: the only one")
    takes_project(parser)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--create", action="store_true", help="also create the web hook at GitHub, with your GitHub token")
    way.add_argument("--show", action="store_true", help="only show the address and the age of the secret")
    way.add_argument("--remove", action="store_true", help="stop accepting web hooks from GitHub")


def _webhook(options: Options) -> None:
    account, repository = _meant(options)
    output, path = Output(options), f"/repositories/{repository.id}/webhook"
    if options.remove:
        ask(account, "DELETE", path)
        output.done(f"The hub no longer accepts web hooks for {repository.name}", {"repository": repository.id})
        return
    if options.show:
        found = ask(account, "GET", path)
        state = f"a secret since {str(found['madeAt'])[:10]}" if found["madeAt"] else "no secret: web hooks are refused"
        output.record([("url", str(found["url"])), ("secret", state)], found, name=repository.name)
        return
    if options.create and not repository.github_owner:
        raise UsageError(f"{repository.name} is not on GitHub", todo="leave out --create")
    made = ask(account, "POST", path)
    if options.create:
        created = _at_github(repository, made)
        output.done(f"GitHub now reports pull requests of {repository.name} to {account.hub}", created)
        return
    events = ", ".join(str(one) for one in _list(made["events"]))
    pairs = [("url", str(made["url"])), ("secret", str(made["secret"])), ("content type", "application/json")]
    output.record([*pairs, ("events", events)], made, name=repository.name)
    output.note("The secret is shown only once. Enter all four at GitHub: Settings, Webhooks, Add webhook;")
    output.note("or have it created there: `solo-unicorn repo webhook --create`.")


def _at_github(repository: ProjectRepository, made: JsonObject) -> JsonObject:
    """The web hook made through GitHub's API; the secret goes in the body of the request alone."""
    from ...config.loading import load
    from ...worktrees.github.client import GitHub
    from ...worktrees.github.hosts import Host, name_of

    name = name_of(repository)
    assert name is not None
    github = GitHub(Host.of(name.host, load().github.api_url), patience=0.0)
    settings: JsonObject = {"url": made["url"], "secret": made["secret"], "content_type": "json", "insecure_ssl": "0"}
    wanted: JsonObject = {
        "name": "web",
        "active": True,
        "events": list[Json](_list(made["events"])),
        "config": settings,
    }
    try:
        created = github.send("POST", f"/repos/{name.full_name}/hooks", wanted)
    finally:
        github.close()
    return {"id": created.get("id"), "url": made["url"], "repository": name.full_name}


def _meant(options: Options) -> tuple[Account, ProjectRepository]:
    """The sign-in that mirrors the project, and the repository that is meant."""
    with workspace() as opened:
        project = project_of(opened, options.project)
        mirror = next((one for one in opened.read(replica.sync_steps.mirrors) if one.project_id == project.id), None)
        if mirror is None:
            raise UsageError(
                f"{project.name} is on this machine only",
                why="GitHub reports to a hub, not to a machine",
                todo=f"`solo-unicorn project publish {project.slug}` puts it on the hub you are signed in at",
            )
        found = opened.read(queries.projects.repositories, project.id)
        if options.repository:
            found = [one for one in found if options.repository in (one.name, one.id)]
        if len(found) != 1:
            names = ", ".join(one.name for one in opened.read(queries.projects.repositories, project.id)) or "none"
            raise UsageError("Which repository?", why=f"{project.name} has: {names}", todo="name one")
        return opened.read(replica.connecting.account, mirror.account), found[0]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


COMMANDS = {"webhook": Command(_arguments, _webhook)}
