"""`/public`: what anybody may see, without sign-in, with ETags."""

from __future__ import annotations

from ..services import public
from . import schemas
from .endpoint import Answer, Call, Parameter, endpoint, told
from .schemas import AFTER, LIMIT

PROJECTS = "/public/projects"
CATEGORY = Parameter("category", {"type": "string", "maxLength": 100})
WORDS = Parameter("q", {"type": "string", "maxLength": 200}, "Words to look for.")


@endpoint(
    "GET",
    PROJECTS,
    "public.browse",
    "Browse public projects",
    needs="public",
    answers={200: schemas.PUBLIC_PAGE},
    query=(AFTER, LIMIT, CATEGORY),
)
def browse(call: Call) -> Answer:
    """Most stars first."""
    return told(public.browse(call, call.query), public=True)


@endpoint(
    "GET",
    PROJECTS + "/search",
    "public.search",
    "Search public projects",
    needs="public",
    answers={200: schemas.PUBLIC_PAGE},
    query=(WORDS, AFTER, LIMIT, CATEGORY),
)
def search(call: Call) -> Answer:
    """Projects whose texts contain every word of `q`."""
    return told(public.search(call, call.query), public=True)


@endpoint(
    "GET", PROJECTS + "/{slug}", "public.get", "Read a public project", needs="public", answers={200: schemas.OBJECT}
)
def get(call: Call) -> Answer:
    """By its public slug."""
    return told(public.public_project(call, call.path["slug"]), public=True)


@endpoint(
    "GET",
    PROJECTS + "/{slug}/missions",
    "public.missions",
    "Read a public project's missions",
    needs="public",
    answers={200: schemas.PUBLIC_PAGE},
    query=(AFTER, LIMIT, Parameter("list", {"type": "string", "enum": ["todo", "doing", "review", "done", "loop"]})),
)
def missions(call: Call) -> Answer:
    """Only where the project shows its missions."""
    return told(public.public_missions(call, call.path["slug"], call.query), public=True)


@endpoint(
    "GET",
    "/public/categories",
    "public.categories",
    "List the categories of public projects",
    needs="public",
    answers={200: schemas.PUBLIC_PAGE},
)
def categories(call: Call) -> Answer:
    """Each with its number of projects."""
    return told(public.categories(call), public=True)


@endpoint(
    "GET",
    "/public/featured",
    "public.featured",
    "List featured projects",
    needs="public",
    answers={200: schemas.PUBLIC_PAGE},
)
def featured(call: Call) -> Answer:
    """Chosen by the hub's operator."""
    return told(public.featured(call), public=True)
