"""Where people sign in for a hub: what it publishes (RFC 9728), then what its issuer publishes (RFC 8414, OIDC)."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...config.addresses import of_this_machine, web_address
from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError, UsageError
from ...missions.records import field, record
from .single_requests import ask, passing

CLIENT_ID = "solo-unicorn-cli"
SCOPE = "openid email profile offline_access"
RESOURCE = "/.well-known/oauth-protected-resource"
METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@record
class KnownIssuer:
    """Who issues tokens for a hub, and how they are asked for."""

    hub: str
    address: str
    authorization_endpoint: str
    token_endpoint: str
    device_endpoint: str = ""
    revocation_endpoint: str = ""
    client_id: str = CLIENT_ID
    scope: str = SCOPE
    form: dict[str, str] = field(default_factory=dict)
    """Sent with every request for a code or token: names the hub as what the token is for."""


def hub_url(text: str) -> str:
    """A hub's base URL as it is kept; UsageError for what is none. Without TLS only on this machine.

    The addresses that a hub prints of its API and its documentation count as its own.
    """
    url = text.strip().rstrip("/")
    if "://" not in url:
        url = f"{'http' if of_this_machine(f'//{url}') else 'https'}://{url}"
    for page in ("/api/v1", "/docs"):
        url = url.removesuffix(page)
    parts = web_address(url)
    if parts is None or parts.query or parts.fragment or parts.username:
        raise UsageError(f"{text!r} is not the address of a hub", todo="give one like https://hub.example.org")
    if not encrypted(url):
        raise UsageError(
            f"{url} is not encrypted", why="others could read your sign-in in transit", todo="use its https address"
        )
    return url


def encrypted(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and of_this_machine(url))


def discovered(hub: str) -> KnownIssuer:
    """Ask the hub, then its issuer. Offline, or SoloUnicornError when one of them does not say what is needed."""
    answer = ask(hub + RESOURCE)
    if error := passing(answer, hub):
        raise error
    said = answer.object if answer.ok else {}
    servers = said.get("authorization_servers")
    address = str(servers[0]).rstrip("/") if isinstance(servers, list) and servers else hub
    about, told = _metadata(address, hub)
    if not about:
        raise SoloUnicornError(
            f"{address} does not say how to sign in", why=told, todo="check the address, or sign in with --api-key -"
        )
    if servers and str(about.get("issuer", "")).rstrip("/") != address:
        raise SoloUnicornError(
            f"{address} describes another issuer",
            why=f"it says it is {about.get('issuer')}",
            todo="tell the hub's operator: the hub names an issuer other than its own address",
        )
    names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint")
    authorization, token, device, revocation = (str(about.get(name) or "") for name in names)
    for endpoint in (authorization, token, device, revocation):
        if endpoint and not encrypted(endpoint):
            raise SoloUnicornError(f"{endpoint} is not encrypted", todo="tell the issuer's operator")
    more = said.get("solo_unicorn")
    settings = more if isinstance(more, dict) else {}
    form = settings.get("parameters")
    return KnownIssuer(
        hub,
        address,
        authorization,
        token,
        device,
        revocation,
        client_id=str(settings.get("client_id") or CLIENT_ID),
        scope=str(settings.get("scope") or SCOPE),
        form=_for_this_hub(hub, form if isinstance(form, dict) else {}),
    )


def _metadata(address: str, hub: str) -> tuple[JsonObject, str]:
    told = ""
    for path in METADATA:
        answer = ask(address + path, hub=hub)
        if error := passing(answer, address):
            raise error
        about = answer.object
        if answer.ok and about.get("authorization_endpoint") and about.get("token_endpoint"):
            return about, ""
        told = f"HTTP {answer.status} for {path}"
    return {}, told


def _for_this_hub(hub: str, form: JsonObject) -> dict[str, str]:
    """Refuse a hub that asks for a token which another hub would take as its own (RFC 9728, 7.3)."""
    for name, value in form.items():
        parts = urlsplit(str(value))
        if name not in ("resource", "audience") or (parts.scheme in ("http", "https") and not _same(hub, str(value))):
            raise SoloUnicornError(
                f"{hub} asks for a token for {value}",
                why="it could be used there in your name",
                todo=f"if that is another name of this hub, sign in there: `solo-unicorn auth login --hub {value}`",
            )
    return {name: str(value) for name, value in form.items()}


def _same(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]
