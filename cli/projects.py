"""`solo-unicorn projects`: the public projects of a hub, over HTTP."""

from __future__ import annotations

import os
from typing import Any

from ..missions.entities import JsonObject
from ..missions.errors import NotFound, Offline, SignedOut, SoloUnicornError, UsageError
from .output import Output
from .parsing import Command, Options, Parser

TOKEN = "SOLO_UNICORN_API_KEY"
SECONDS = 30


def _hub(parser: Parser) -> None:
    parser.add_argument("--hub", metavar="URL", required=True, help="the hub's URL, as https://hub.example.com")


def _browse_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("--category")


def _search_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("words", nargs="+", metavar="WORD")


def _one(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("project", metavar="PROJECT", help="its public slug")


def _star_arguments(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("--off", action="store_true", help="take it back")


def _request_arguments(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("--role", choices=("contributor", "collaborator", "maintainer"), default="contributor")
    parser.add_argument("-m", "--message", default="")


def _template_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("template", metavar="TEMPLATE", help="its id; `GET /api/v1/templates` lists them")
    parser.add_argument("--name", help="of the new project")


def _browse(options: Options) -> None:
    _list(options, "/public/projects", {"category": options.category} if options.category else {})


def _search(options: Options) -> None:
    _list(options, "/public/projects/search", {"q": " ".join(options.words)})


def _list(options: Options, path: str, query: dict[str, str]) -> None:
    items = _ask(options, "GET", path, query=query)["items"]
    rows = [
        (str(item["publicSlug"]), str(item["name"]), str(item["starCount"]), str(item.get("description") or ""))
        for item in items
    ]
    Output(options).table(("PROJECT", "NAME", "STARS", "DESCRIPTION"), rows, items, empty="No public project is found.")


def _star(options: Options) -> None:
    project = _ask(options, "GET", f"/public/projects/{_safe(options.project)}")
    answer = _ask(options, "DELETE" if options.off else "PUT", f"/projects/{project['id']}/star")
    told = "star taken back" if options.off else "starred"
    Output(options).done(f"{project['name']}: {told}, {answer['starCount']} in all", answer, name=options.project)


def _request_access(options: Options) -> None:
    project = _ask(options, "GET", f"/public/projects/{_safe(options.project)}")
    body: JsonObject = {"role": options.role, "message": options.message}
    answer = _ask(options, "POST", f"/projects/{project['id']}/access-requests", body=body)
    Output(options).done(f"Asked the owners of {project['name']} to become {options.role}", answer, name=answer["id"])


def _create_from_template(options: Options) -> None:
    body: JsonObject = {"name": options.name} if options.name else {}
    answer = _ask(options, "POST", f"/templates/{_safe(options.template)}/projects", body=body)
    Output(options).done(f"{answer['name']} is on the hub", answer, name=answer["id"])


def _safe(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _ask(
    options: Options, method: str, path: str, *, query: dict[str, str] | None = None, body: JsonObject | None = None
) -> Any:
    """The hub's answer; its refusals are told in its own words. The token comes from the environment."""
    import httpx

    url = options.hub.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{options.hub!r} is no URL", todo="as in https://hub.example.com")
    token = os.environ.get(TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.request(
            method, url + "/api/v1" + path, params=query, json=body, headers=headers, timeout=SECONDS
        )
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Offline(f"{url} does not answer as a hub", why=str(error), todo="check the URL, and try again") from error
    if answer.is_success:
        return found
    message = found.get("error", {}).get("message", answer.reason_phrase) if isinstance(found, dict) else ""
    match answer.status_code:
        case 401:
            raise SignedOut(message, todo=f"put an access token of the hub into {TOKEN}")
        case 404:
            raise NotFound(message)
    raise SoloUnicornError(message)


COMMANDS = {
    "browse": Command(_browse_arguments, _browse),
    "search": Command(_search_arguments, _search),
    "star": Command(_star_arguments, _star),
    "request-access": Command(_request_arguments, _request_access),
    "create-from-template": Command(_template_arguments, _create_from_template),
}
