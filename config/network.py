"""What this machine's settings say of the way to others: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..missions.errors import Offline
from .addresses import LOOPBACK, of_this_machine

T = TypeVar("T")
CORRECT = "correct HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE or SSL_CERT_DIR; SOCKS proxies are not supported"

DIRECT: Final = {f"all://{f'[{host}]' if ':' in host else host}": None for host in LOOPBACK}
"""`mounts` of an HTTP client: what runs on this machine is reached through no proxy, NO_PROXY or not."""


class WrongSettings(Offline):
    """No client can be made with the settings of this machine."""


def made(make: Callable[[], T]) -> T:
    """The HTTP client that `make` makes; WrongSettings when settings of this machine keep it from being made."""
    import httpx

    try:
        return make()
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        what = "The network settings of this machine cannot be used"
        raise WrongSettings(what, why=str(error).partition(". ")[0] or type(error).__name__, todo=CORRECT) from error


def proxy(url: str) -> str:
    """Host and port of the proxy on the way to an address, without its password; empty where there is none."""
    address, proxies = urlsplit(url), getproxies()
    if of_this_machine(url) or proxy_bypass(address.hostname or ""):
        return ""
    found = proxies.get(address.scheme) or proxies.get("all") or ""
    return found.rpartition("//")[2].rpartition("@")[2]
