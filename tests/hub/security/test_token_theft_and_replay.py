"""Stolen, forged, replayed and mixed-up tokens open nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from solo_unicorn.hub.services.people import user_for
from solo_unicorn.hub.signin.outside import OutsideIssuer, OutsideTokens, outside_of
from solo_unicorn.missions.errors import SignedOut

from ..issuing import CLIENT, URL, Flow, Issued, issuing
from ..people import ANN


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Issued]:
    async with issuing(tmp_path, database_url) as found:
        yield found


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = token.split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))
    return header, claims


async def test_tokens_with_another_signature_or_none_are_nothing(hub: Issued) -> None:
    token = (await hub.sign_in())["access_token"]
    header, claims = parts(token)
    stranger = ECKey.generate_key("P-256")
    public = (await hub.http.get("/oauth/jwks")).json()["keys"][0]
    unsigned = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
        for one in (header | {"alg": "none"}, claims)
    ]
    forged = [
        jwt.encode(header, claims, stranger),
        jwt.encode(header | {"alg": "HS256"}, claims, OctKey.import_key(json.dumps(public))),
        ".".join(unsigned) + ".",
        token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB"),
        token + "x",
        "a.b.c",
        "..",
        "é.é.é",
        token * 20,
    ]
    for one in forged:
        assert not await hub.good(one)
    assert await hub.good(token)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://else.example"},
        {"iss": "https://else.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sid": "unknown"},
        {"sid": None},
        {"nbf": 99999999999},
    ],
)
async def test_a_token_of_our_own_key_with_other_claims_is_nothing(hub: Issued, changed: dict[str, Any]) -> None:
    header, claims = parts((await hub.sign_in())["access_token"])
    key = await hub.database.write(hub.tokens._keys.signing)
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    assert not await hub.good(jwt.encode(header, claims, key))


async def test_an_id_token_is_no_access_token(hub: Issued) -> None:
    assert not await hub.good((await hub.sign_in())["id_token"])


async def test_a_refresh_token_opens_nothing_and_an_access_token_refreshes_nothing(hub: Issued) -> None:
    token = await hub.sign_in()
    assert not await hub.good(token["refresh_token"])
    assert (await hub.refresh(token["access_token"])).status_code == 400


async def test_a_stolen_code_is_worth_nothing_without_its_verifier(hub: Issued) -> None:
    flow = Flow()
    code = await hub.code(flow)
    assert (await hub.exchange(flow, code, code_verifier=Flow().verifier)).status_code == 400
    assert (await hub.exchange(flow, code)).status_code == 400, "one try is all a code has"


async def test_a_code_is_over_after_a_minute(hub: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow()
    code = await hub.code(flow)
    now = time.time
    monkeypatch.setattr("solo_unicorn.hub.signin.grants.time.time", lambda: now() + 61)
    assert (await hub.exchange(flow, code)).status_code == 400


async def test_the_cookie_of_another_browser_is_not_taken(hub: Issued) -> None:
    await hub.sign_in()
    assert "Continue as" in (await hub.page(Flow())).text
    stolen = await hub.http.get(f"/oauth/authorize?{Flow().query()}", headers={"User-Agent": "another browser"})
    assert "Continue as" not in stolen.text


async def test_a_form_of_another_page_does_nothing(hub: Issued) -> None:
    flow = Flow()
    page = await hub.page(flow)
    assert (await hub.submit(flow, page, csrf="0" * 64)).status_code == 403
    hub.http.cookies.clear()
    assert (await hub.submit(flow, page)).status_code == 403, "the form is tied to its browser"
    page = await hub.page(flow)
    hub.http.headers["sec-fetch-site"] = "cross-site"
    assert (await hub.submit(flow, page)).status_code == 403


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(hub: Issued) -> None:
    flow = Flow()
    sent = await hub.submit(flow, await hub.page(flow))
    cookies = sent.headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie


async def test_only_digests_are_kept(hub: Issued) -> None:
    token = await hub.sign_in()
    kept = b"".join(path.read_bytes() for path in Path(str(hub.database.url.database)).parent.glob("hub.sqlite3*"))
    assert token["refresh_token"].encode() not in kept and b"correct horse" not in kept


async def test_an_outside_identity_opens_an_account_only_by_an_address_that_is_verified(hub: Issued) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    outside = "https://auth.example"

    async def fetch(address: str, token: str = "") -> dict[str, Any]:
        if address.endswith("openid-configuration"):
            return {"issuer": outside, "jwks_uri": f"{outside}/jwks"}
        return {"keys": [key.as_dict(private=False)]}

    settings = outside_of({"issuer": outside, "audience": CLIENT, "issuer_link_email": "on"}, URL)
    assert settings
    tokens = OutsideTokens(hub.database, OutsideIssuer(settings, fetch))
    ann = await hub.database.write(lambda at: user_for(at, ANN.email, time.time(), verified=True))
    claims = {"iss": outside, "aud": CLIENT, "exp": int(time.time()) + 60, "email": ANN.email, "email_verified": True}

    async def who(subject: str, **changed: Any) -> str | None:
        header = {"alg": "RS256", "kid": key.kid}
        found = await tokens.identify(jwt.encode(header, {**claims, "sub": subject} | changed, key))
        return found.user_id if found else None

    assert await who("unverified", email_verified=False) not in (ann, None)
    assert await who("text", email_verified="true") not in (ann, None)
    assert await who("other", email="nobody@example.org") not in (ann, None)
    assert await who("ann") == await who("ann", email="moved@example.org", email_verified=False) == ann
    with pytest.raises(SignedOut, match="not linked to your sign-in"):
        await who("thief")
    assert await who("ann", iss="https://else.example") is None
    assert await who("ann", aud="another-client") is None
    assert await who("ann", exp=int(time.time()) - 120) is None


async def test_the_keys_of_an_issuer_are_not_fetched_for_every_forged_token(hub: Issued) -> None:
    fetched = []

    async def fetch(address: str, token: str = "") -> dict[str, Any]:
        fetched.append(address)
        return {"issuer": "https://auth.example", "jwks_uri": "https://auth.example/jwks", "keys": []}

    settings = outside_of({"issuer": "https://auth.example"}, URL)
    assert settings
    tokens = OutsideTokens(hub.database, OutsideIssuer(settings, fetch))
    for number in range(20):
        forged = jwt.encode({"alg": "ES256", "kid": str(number)}, {"sub": "x"}, ECKey.generate_key("P-256"))
        assert await tokens.identify(forged) is None
    assert len(fetched) == 2
