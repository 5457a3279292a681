"""What Authlib is given and gives back: a request, and its answer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from starlette.datastructures import ImmutableMultiDict

KEPT_AS_THEY_ARE: Final = frozenset({"state", "nonce", "device_name"})
"""Values that no error repeats."""


class IssuerRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib takes it. The scheme that it insists on is the public address's matter, not the proxy's."""

    def __init__(self, method: str, uri: str, given: ImmutableMultiDict[str, str], headers: dict[str, str]) -> None:
        super().__init__(method, "https://" + uri.partition("://")[2], headers=headers)
        self.payload = Payload(given)
        self.given = given

    @property
    def readable(self) -> bool:
        """Whether every value that Authlib puts into its answers is of letters that it can put there (RFC 6749, A)."""
        return all(
            value.isascii() and value.isprintable() and not set(value) & {'"', "\\"}
            for name, value in self.given.multi_items()
            if name not in KEPT_AS_THEY_ARE
        )

    @property
    def form(self) -> dict[str, str]:
        return dict(self.given)

    @property
    def args(self) -> dict[str, str]:
        return dict(self.given)


class Payload(BasicOAuth2Payload):  # type: ignore[misc]
    """Parameters, with those that were given twice."""

    def __init__(self, given: ImmutableMultiDict[str, str]) -> None:
        super().__init__(dict(given))
        self._datalist = defaultdict(list)
        for name, value in given.multi_items():
            self._datalist[name].append(value)


@dataclass(slots=True)
class IssuerAnswer:
    """What Authlib wants to answer."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def location(self) -> str:
        """Where it redirects to; empty when it does not."""
        return self.headers.get("Location", "")

    @location.setter
    def location(self, address: str) -> None:
        self.headers["Location"] = address
