"""Which certificates are believed: those the system believes, and for a hub with a pin only that authority's.

A pin is a file of certificates (PEM), one for each hub (host and port), kept below the home: whoever talks to that hub
finds it, whatever account or program it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..missions.errors import UsageError
from . import replacing
from .paths import home, made_home

if TYPE_CHECKING:
    import ssl

NOT_YET_VALID, EXPIRED, OTHER_NAME, OTHER_ADDRESS = 9, 10, 62, 64
"""OpenSSL's codes of a failed verification (X509_V_ERR_…)."""


def context(url: str, hub: str = "") -> ssl.SSLContext | bool:
    """What `httpx` takes as `verify` for an address; `hub`: whose pin counts too (the address is of its issuer)."""
    if urlsplit(url).scheme not in ("https", "wss"):
        return True
    import ssl

    pin = pin_of(url)
    if pin.exists():
        return _pinned(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pin)
    import httpx

    made = httpx.create_ssl_context()  # of a list that comes with it, unless SSL_CERT_FILE or SSL_CERT_DIR name one
    made.load_default_certs()
    if hub and pin_of(hub).exists():
        _pinned(made, pin_of(hub))
    return made


def socket_context(url: str) -> ssl.SSLContext | None:
    """The same for a WebSocket; None without TLS."""
    found = context(url)
    return None if isinstance(found, bool) else found


def pin_of(url: str) -> Path:
    """Where the pinned certificates of a hub are, if there are any; `url` is its address or its host and port."""
    host = urlsplit(url).netloc or url
    return home() / "trust" / f"{quote(host.lower(), safe='')}.pem"


def pin(hub: str, file: Path) -> None:
    """Believe only these certificates for a hub from now on; UsageError for a file that holds none."""
    import ssl

    try:
        text = file.read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError, ssl.SSLError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise UsageError(
            f"{file} does not hold the certificate of an authority",
            why=why,
            todo="give the PEM file of the authority (-----BEGIN CERTIFICATE-----) that signed the hub's certificate",
        ) from error
    made_home()
    pin_of(hub).parent.mkdir(mode=0o700, exist_ok=True)
    replacing.write(pin_of(hub), text)


def unpin(hub: str) -> bool:
    """Believe what the system believes again; False when there was no pin."""
    try:
        pin_of(hub).unlink()
    except FileNotFoundError:
        return False
    return True


def refusal(error: BaseException, url: str) -> tuple[str, str] | None:
    """(why, what to do) when an error comes of a certificate that was not believed, else None."""
    import ssl

    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLCertVerificationError):
        found = found.__cause__ or found.__context__
    if found is None:
        return None
    address = urlsplit(url)
    pinned = pin_of(url).exists()
    if found.verify_code in (OTHER_NAME, OTHER_ADDRESS):
        return (
            f"the certificate of {address.netloc} is for another name",
            "use the name that the certificate has, or ask the hub's operator for one with this name",
        )
    if found.verify_code in (NOT_YET_VALID, EXPIRED):
        when = "has ended" if found.verify_code == EXPIRED else "is not valid yet"
        return f"the certificate of {address.netloc} {when}", "check this machine's clock, or tell the hub's operator"
    why = f"the certificate of {address.netloc} is not believed ({found.verify_message})"
    if pinned:
        return (
            f"{why}; for this hub only the authority that was given with --ca is believed",
            "`solo-unicorn auth login --ca FILE` gives the hub's new one, `--ca system` goes back to the system's",
        )
    return why, "if the hub has an authority of its own: `solo-unicorn auth login --ca FILE` with its certificate"


def _pinned(made: ssl.SSLContext, pin: Path) -> ssl.SSLContext:
    import ssl

    made.load_verify_locations(pin)
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the hub's own certificate may be what is pinned
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT  # authorities made by hand lack extensions that newer Pythons want
    return made
