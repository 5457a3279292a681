"""The issuer with everything that it grants."""

from __future__ import annotations

from sqlalchemy import Connection

from .accounts import Accounts
from .device import DeviceEndpoint, DeviceGrant
from .grants import Challenge, CodeGrant, IdToken, RefreshGrant, Revocation
from .issuer import Issuer, IssuerSettings
from .keys import Keys


def opened(connection: Connection, settings: IssuerSettings, keys: Keys, accounts: Accounts) -> Issuer:
    """An issuer for the time of one transaction."""
    issuer = Issuer(connection, settings, keys, accounts)
    issuer.register_grant(CodeGrant, [Challenge(), IdToken()])
    issuer.register_grant(RefreshGrant)
    issuer.register_grant(DeviceGrant)
    issuer.register_endpoint(Revocation)
    issuer.register_endpoint(DeviceEndpoint)
    return issuer
