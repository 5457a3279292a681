"""`/meta` and `/sync`: what this hub is and can do, without sign-in."""

from __future__ import annotations

import orjson

from ... import __version__
from ..services.mission_reads import PAGE_MAX
from ..services.running import LEASE_SECONDS
from . import schemas
from .endpoint import Answer, Call, endpoint
from .idempotency import RETENTION_SECONDS
from .schema import component

MIN_CLIENT = "0.1.0"
_META = component("Meta", schemas.OBJECT)


@endpoint("GET", "/meta/status", "meta.status", "Check the hub's health", needs="nothing", answers={200: _META})
def status(call: Call) -> Answer:
    """Reads the database, so that an answer proves that it is there."""
    call.at.exec_driver_sql("SELECT 1")
    return Answer(orjson.dumps({"status": "ok", "version": __version__, "epoch": call.hub.epoch}))


@endpoint("GET", "/meta/features", "meta.features", "Show what this hub offers", needs="nothing", answers={200: _META})
def features(call: Call) -> Answer:
    """Lets clients of several versions work with one hub."""
    offered = {
        "rest": "v1",
        "changes": True,
        "idempotency": True,
        "ifMatch": True,
        "publicProjects": True,
        "templates": True,
        "assignment": True,
        "leaseSeconds": LEASE_SECONDS,
    }
    return Answer(orjson.dumps({"version": __version__, "features": offered}))


@endpoint(
    "GET",
    "/sync/capabilities",
    "sync.capabilities",
    "List the capabilities that a mirror may rely on",
    needs="nothing",
    answers={200: _META},
)
def capabilities(call: Call) -> Answer:
    """Limits and versions of the synchronisation protocol."""
    return Answer(
        orjson.dumps(
            {
                "epoch": call.hub.epoch,
                "changes": True,
                "ifMatch": True,
                "history": True,
                "idempotencyRetentionSec": RETENTION_SECONDS,
                "maxPage": PAGE_MAX,
                "minClient": MIN_CLIENT,
            }
        )
    )
