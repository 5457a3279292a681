"""What stands in the way of an exchange with a hub."""

from __future__ import annotations

from collections.abc import Mapping

from ...missions.connected import OF_PROJECT, TroubleKind
from ...missions.records import record
from .messages import Answer, NoAnswer, Response


@record
class Trouble:
    """Why an exchange broke off. Whatever it had written stands; the next one goes on from there."""

    kind: TroubleKind
    reason: str
    answer: Response | None = None

    @property
    def of_hub(self) -> bool:
        """Whether it is about the whole hub, so that no project can be read or sent to."""
        return self.kind not in OF_PROJECT


def trouble(answer: Answer) -> Trouble:
    """What stands in the way, from an answer that was not what was hoped for."""
    if isinstance(answer, NoAnswer):
        return Trouble(answer.kind, answer.reason)
    match answer.status:
        case 401:
            return Trouble("signed_out", answer.said, answer)
        case 403:
            return Trouble("forbidden", answer.said, answer)
        case 404 | 410:
            return Trouble("gone", answer.said, answer)
        case 409 | 412 | 408 | 425 | 429:
            return Trouble("busy", answer.said, answer)
        case 503 | 507:  # 507: its disk is full
            return Trouble("not_ready", answer.said, answer)
        case status if status >= 500:
            return Trouble("failing", answer.said, answer)
        case status if status < 400:
            return Trouble("unreadable", elsewhere(status, answer.headers) or answer.said, answer)
    return Trouble("refused", answer.said, answer)


def elsewhere(status: int, headers: Mapping[str, str]) -> str:
    """That an answer is a redirect, which is not followed, and where it leads; empty for any other."""
    place = headers.get("location", "").partition("?")[0]  # what follows may be a signature
    return f"HTTP {status} that leads to {place}" if place and 300 <= status < 400 else ""
