"""An endpoint as one row: its path, what it needs, what it takes and what it answers.

The row is all there is: requests are served by it (serving.py), the OpenAPI document is made from it (openapi.py),
and the matrix test walks over it, so an endpoint cannot exist without saying who may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ...missions.entities import JsonObject
from ..identity import Scope
from ..permissions import OrganizationRight, Right
from ..unit_of_work import Shown, UnitOfWork

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Schema = JsonObject
Needs = Literal["nothing", "public", "account"] | Right | OrganizationRight
"""nothing: no sign-in and no project; public: a public project's own setting decides; account: any signed-in caller;
else the right in the project or organization that the path names."""
IfMatch = Literal["no", "optional", "required"]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    schema: Schema
    description: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the API: its path, what it needs, takes and answers."""

    method: Method
    path: str
    name: str
    """operationId: as the specification's procedures, `mission.create`."""
    summary: str
    needs: Needs
    serve: Callable[[Call], Answer]
    answers: Mapping[int, Schema | None]
    query: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_required: bool = True
    if_match: IfMatch = "no"
    scope: Scope = "read"
    refuses: tuple[int, ...] = ()
    """Statuses beyond those that every endpoint of its kind may answer."""
    deprecated: str = ""
    """Date of the deprecation (HTTP-date); with `sunset`, when it goes."""
    sunset: str = ""

    @property
    def tag(self) -> str:
        """The first part of the name, which groups endpoints in the document."""
        return self.name.split(".")[0]

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"

    @property
    def audited(self) -> bool:
        """Whether a call leaves a row in the audit log: it changes rights, settings or keys, or takes away."""
        strong = self.scope == "admin" or self.needs.startswith(("manage", "own")) or self.method == "DELETE"
        return self.writes and strong


@dataclass(slots=True, kw_only=True)
class Call(UnitOfWork):
    """One request as its endpoint sees it, inside its transaction; its key is the Idempotency-Key."""

    endpoint: Endpoint
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject
    if_match: int | None
    base_url: str
    media_type: str
    client: str
    """Address of the client."""
    agent: str
    """Its User-Agent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers: JSON bytes that are sent as they are."""

    body: bytes = b""
    status: int = 200
    version: int | str | None = None
    """Becomes the strong ETag."""
    headers: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    """Caches between here and the client may keep it."""


def told(shown: Shown, status: int = 200, *, public: bool = False) -> Answer:
    """The answer that shows what a service returned; `public` as in Answer."""
    return Answer(shown.body, status, version=shown.version, public=public)


ENDPOINTS: Final[list[Endpoint]] = []
"""Every row, in the order of the files that hold them."""


def endpoint(
    method: Method,
    path: str,
    name: str,
    summary: str,
    *,
    needs: Needs,
    answers: Mapping[int, Schema | None],
    query: tuple[Parameter, ...] = (),
    body: Schema | None = None,
    body_required: bool = True,
    if_match: IfMatch = "no",
    scope: Scope | None = None,
    refuses: tuple[int, ...] = (),
    deprecated: str = "",
    sunset: str = "",
) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Make a function the one that serves this row."""

    def add(serve: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        wanted: Scope = scope or ("read" if method == "GET" else "write")
        ENDPOINTS.append(
            Endpoint(
                method,
                path,
                name,
                summary,
                needs,
                serve,
                answers,
                query,
                body,
                body_required,
                if_match,
                wanted,
                refuses,
                deprecated,
                sunset,
            )
        )
        return serve

    return add
