"""GitHub's web hooks: signed bodies that tell what became of a pull request.

Each linked repository has an address and a secret of its own (services/hooks.py), so a body moves missions of the
project that linked it and of no other. The same body is taken once, whatever its headers say, because GitHub signs
only the body; and an older state never replaces a newer one. Nothing that a body names is ever fetched.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Column, Connection, Float, Index, String, Table, delete, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...config.log import logger
from ...missions.entities import Author, Mission, PullRequest, PullRequestReview
from ...missions.errors import SoloUnicornError
from ...missions.rules import pull_requests
from ..api import hooks
from ..change import Change
from ..errors import HubError, refusal
from ..hub import Hub
from ..identity import SCOPES, Caller
from ..services.hooks import EVENTS, secret_of
from ..storage.tables import metadata, missions, projects, repositories
from ..unit_of_work import UnitOfWork

PATH: Final = "/api/v1" + hooks.PATH
BODY_BYTES: Final = 2 * 1024 * 1024
KEPT_SECONDS: Final = 30 * 86400

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("delivery", String(100), nullable=False),
    Column("at", Float, nullable=False),
    Index("webhook_deliveries_at", "at"),
)
pull_request_times = Table(
    "pull_request_times",
    metadata,
    Column("mission_id", String(64), primary_key=True),
    Column("at", Float, nullable=False),
)


class GitHubHook:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[Route]:
        """By the id of the linked repository."""
        return [Route(PATH, self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        repository, body = request.path_params["id"], await request.body()
        given = request.headers.get("x-hub-signature-256", "")
        secret = await self._hub.database.read(lambda at: secret_of(self._hub.keys, at, repository))
        # a repository without a secret answers like one with another secret: ids cannot be told apart here
        right = "sha256=" + hmac.new(secret or secrets.token_bytes(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            logger("hub.audit").warning("a web hook's signature is wrong", extra={"place": str(request.client)})
            return refusal(HubError("unauthenticated", "The signature does not match the body"))
        if len(body) > BODY_BYTES:
            return refusal(HubError("payload_too_large", "A web hook is limited to 2 MB"))
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            return refusal(
                HubError("bad_request", "The body is not JSON", todo="set the content type to application/json")
            )
        kind, delivery = request.headers.get("x-github-event", "")[:100], request.headers.get("x-github-delivery", "")
        try:
            outcome, after = await self._hub.database.write(
                lambda at: self._work(at, repository, kind, delivery[:100], body, told)
            )
        except SoloUnicornError as error:
            return refusal(error)
        for hint in after:
            hint()
        return JSONResponse({"outcome": outcome})

    def _work(
        self, at: Connection, repository: str, kind: str, delivery: str, body: bytes, told: Any
    ) -> tuple[str, list[Any]]:
        """In one transaction: taken once for each repository, and what it means for its missions."""
        digest = hashlib.sha256(b"\0".join((repository.encode(), kind.encode(), body))).hexdigest()
        if at.execute(select(deliveries.c.at).where(deliveries.c.digest == digest)).first() is not None:
            return "already taken", []
        now = time.time()
        at.execute(delete(deliveries).where(deliveries.c.at < now - KEPT_SECONDS))
        at.execute(deliveries.insert().values(digest=digest, delivery=delivery, at=now))
        if kind not in EVENTS or not isinstance(told, dict):
            return "nothing to do", []
        changed, after = 0, []
        for mission_id, project_id, organization_id in _meant(at, repository, told):
            owner = Caller("organization", organization_id=organization_id, scopes=frozenset(SCOPES))
            work = UnitOfWork(hub=self._hub, at=at, caller=owner)
            changed += _apply(work, mission_id, project_id, kind, told)
            after += work.after
        return (f"{changed} changed" if changed else "nothing to do"), after


def _meant(at: Connection, repository_id: str, told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Missions of the linked repository whose pull request this is, by number; none when GitHub means another one."""
    try:
        named, number = told["repository"], int(told["pull_request"]["number"])
        github_id, full_name = int(named["id"]), str(named.get("full_name", ""))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return []
    doc = at.execute(select(repositories.c.doc).where(repositories.c.id == repository_id)).scalar()
    linked = orjson.loads(doc) if doc else {}
    known = linked.get("githubRepoId")
    ours = f"{linked.get('githubOwner', '')}/{linked.get('githubName', '')}"
    if known not in (None, github_id) or (known is None and ours.lower() != full_name.lower()):
        return []
    rows = at.execute(
        select(missions.c.id, missions.c.project_id, missions.c.doc, projects.c.organization_id)
        .join(projects, projects.c.id == missions.c.project_id)
        .where(
            missions.c.repository_id == repository_id,
            missions.c.deleted.is_(False),
            missions.c.doc.contains(f'"githubPrNumber":{number}', autoescape=True),
        )
    )
    wanted = [row for row in rows if orjson.loads(row.doc).get("githubPrNumber") == number]
    return [(row.id, row.project_id, row.organization_id) for row in wanted]


def _apply(work: UnitOfWork, mission_id: str, project_id: str, kind: str, told: dict[str, Any]) -> bool:
    """What a pull request's new state means for its mission, by the rules that a look at GitHub follows too."""
    request = told["pull_request"]
    at_time = _moment(request.get("updated_at"))
    known = work.at.execute(
        select(pull_request_times.c.at).where(pull_request_times.c.mission_id == mission_id)
    ).scalar_one_or_none()
    if at_time is None or (known is not None and at_time < known):
        return False
    work.at.execute(delete(pull_request_times).where(pull_request_times.c.mission_id == mission_id))
    work.at.execute(pull_request_times.insert().values(mission_id=mission_id, at=at_time))
    change = Change(work, project_id, "write missions", by=Author("system", "GitHub"))
    before = change.mission(mission_id)
    if not pull_requests.is_followed(before):
        return False
    meant = pull_requests.observed(before, change.flow_of(before), _seen(before, kind, told), now=change.now)
    if meant.mission == before:
        return False
    change.save(before, meant.mission, meant.kind, note=meant.note)
    return True


def _seen(before: Mission, kind: str, told: dict[str, Any]) -> PullRequest:
    """What was known, with what this says put over it."""
    request, known = told["pull_request"], before.pull_request or PullRequest()
    head = request.get("head")
    merged = bool(request.get("merged") or request.get("merged_at"))
    seen = replace(
        known,
        state="merged" if merged else "closed" if request.get("state") == "closed" else "open",
        draft=bool(request.get("draft", known.draft)),
        head=str(head.get("sha", known.head)) if isinstance(head, dict) else known.head,
        merge_commit=str(request["merge_commit_sha"]) if merged and request.get("merge_commit_sha") else None,
    )
    review = told.get("review") if kind == "pull_request_review" else None
    if isinstance(review, dict) and told.get("action") == "submitted":
        said: dict[str, PullRequestReview] = {"approved": "approved", "changes_requested": "changes_requested"}
        found = said.get(str(review.get("state", "")).lower())
        login = review.get("user", {}).get("login") if isinstance(review.get("user"), dict) else None
        if found:
            seen = replace(seen, review=found, review_id=review.get("id"), reviewers=(str(login),) if login else ())
    return seen


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).timestamp()
    except ValueError:
        return None
