"""Which certificates are believed: those the system believes, and for a hub with a pin only that authority's.

A pin is a file of certificates (PEM), one for each hub (host and port), kept below the home: whoever talks to that hub
finds it, whatever account or program it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..missions.errors import UsageError
from ..system import files
from . import locked_files
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
    name = _name(url)
    return _tried.get(name) or home() / "trust" / f"{name}.pem"


_tried: dict[str, Path] = {}
"""Names of hubs -> the file that stands for their pin in this process."""


@contextmanager
def trying(hub: str, file: Path | None) -> Iterator[None]:
    """Believe only these certificates for a hub (None: those the system believes), at first in this process alone.

    Every program of this home does so once the block has succeeded. UsageError for a file that holds none.
    """
    kept = pin_of(hub)
    draft = kept.with_name(f".{kept.name}.{os.getpid()}")
    text = None if file is None else _certificates(file)
    if text is not None:
        made_home()
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        files.replace(draft, text.encode(), durable=False)
    _tried[_name(hub)] = draft
    try:
        yield
        if text is None:
            kept.unlink(missing_ok=True)
        else:
            locked_files.write(kept, text)
    finally:
        del _tried[_name(hub)]
        draft.unlink(missing_ok=True)


def _name(url: str) -> str:
    return quote((urlsplit(url).netloc or url).lower(), safe="")


def _certificates(file: Path) -> str:
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
    return text


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
