"""The built-in issuer as a client sees it: discovery, code with PKCE, tokens, refresh, revocation, registration."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from solo_unicorn.hub import audit

from ..issuing import BACK, CLIENT, URL, Flow, Issued, issuing
from ..people import ANN


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Issued]:
    async with issuing(tmp_path) as found:
        yield found


async def test_discovery_names_addresses_that_answer(hub: Issued) -> None:
    for name in ("oauth-authorization-server", "openid-configuration"):
        found = (await hub.http.get(f"/.well-known/{name}")).json()
        assert found["issuer"] == URL and found["code_challenge_methods_supported"] == ["S256"]
        for key in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"):
            assert (await hub.http.get(found[key])).status_code != 404


async def test_signing_in_gives_tokens_that_others_can_check_by_the_published_keys(hub: Issued) -> None:
    token = await hub.sign_in(Flow(scope="openid email profile offline_access"))
    assert token["token_type"] == "Bearer" and token["expires_in"] == 900
    keys = KeySet.import_key_set((await hub.http.get("/oauth/jwks")).json())
    assert "d" not in (await hub.http.get("/oauth/jwks")).json()["keys"][0]
    for name, audience in (("access_token", URL), ("id_token", [CLIENT])):
        claims = jwt.decode(token[name], keys, algorithms=["ES256"]).claims
        assert (claims["iss"], claims["aud"], claims["sub"]) == (URL, audience, ANN.id)
        assert claims["email"] == ANN.email and claims["email_verified"] is True
    identity = await hub.tokens.identify(token["access_token"])
    assert identity and identity.user_id == ANN.id
    mine = await hub.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert mine.json()["name"] == "Ann"


async def test_a_wrong_password_is_told_on_the_page_and_tries_are_counted(hub: Issued) -> None:
    flow = Flow()
    page = await hub.page(flow)
    assert page.status_code == 200 and "<script" not in page.text
    for _ in range(5):
        refused = await hub.submit(flow, page, password="wrong password")
        assert refused.status_code == 401 and "do not match" in refused.text
    held = await hub.submit(flow, page)
    assert held.status_code == 401 and "Too many attempts" in held.text
    rows = await hub.database.read(lambda at: audit.read(at, limit=10, action="sign-in"))
    assert {(row.caller, row.outcome) for row in rows} == {("anonymous", "sign-in refused")} and len(rows) == 5


async def test_addresses_nobody_has_are_answered_like_wrong_passwords(hub: Issued) -> None:
    flow = Flow()
    page = await hub.page(flow)
    one = await hub.submit(flow, page, email="nobody@example.org")
    two = await hub.submit(flow, page, password="wrong password", email="ann@example.org")
    assert one.status_code == two.status_code == 401
    assert one.text.replace("nobody@", "ann@") == two.text


async def test_a_signed_in_browser_is_asked_before_it_goes_on(hub: Issued) -> None:
    await hub.sign_in()
    page = await hub.page(Flow())
    assert f"Continue as {ANN.email}" in page.text
    assert await hub.sign_in()


async def test_cancelling_goes_back_to_the_client_with_the_reason(hub: Issued) -> None:
    flow = Flow()
    sent = await hub.submit(flow, await hub.page(flow), action="cancel")
    answer = parse_qs(urlsplit(sent.headers["location"]).query)
    assert answer["error"] == ["access_denied"] and answer["state"] == [flow.state]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "not supported by client"),
        ({"redirect_uri": "http://127.0.0.1.evil.example:80/"}, "not supported by client"),
        ({"redirect_uri": "http://ann@127.0.0.1:80/"}, "not supported by client"),
        ({"redirect_uri": None}, "Missing"),
        ({"client_id": "nobody"}, "does not exist"),
        ({"client_id": None}, "Missing"),
    ],
)
async def test_a_request_whose_client_is_not_known_is_never_sent_back(
    hub: Issued, asked: dict[str, str | None], reason: str
) -> None:
    refused = await hub.page(Flow(), **asked)
    assert refused.status_code == 400 and reason in refused.text and "location" not in refused.headers


@pytest.mark.parametrize(
    "asked",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"scope": "everything"},
    ],
)
async def test_requests_outside_the_rules_go_back_with_an_error_and_no_code(
    hub: Issued, asked: dict[str, str | None]
) -> None:
    refused = await hub.page(Flow(), **asked)
    assert refused.status_code == 303 and refused.headers["location"].startswith(BACK)
    answer = parse_qs(urlsplit(refused.headers["location"]).query)
    assert "error" in answer and "code" not in answer


@pytest.mark.parametrize(
    "back", ["http://127.0.0.1:1/", "http://[::1]:65535/any/path?x=1", "http://localhost:8080/callback"]
)
async def test_loopback_redirects_work_with_any_port(hub: Issued, back: str) -> None:
    assert (await hub.sign_in(Flow(back=back)))["access_token"]


async def test_the_right_verifier_redirect_and_client_are_needed(hub: Issued) -> None:
    for other in ({"code_verifier": "x" * 43}, {"redirect_uri": BACK + "/"}, {"client_id": "nobody"}):
        flow = Flow()
        refused = await hub.exchange(flow, await hub.code(flow), **other)
        assert refused.status_code in (400, 401) and "access_token" not in refused.text


async def test_refreshing_gives_new_tokens_and_signing_out_ends_them(hub: Issued) -> None:
    first = await hub.sign_in()
    second = (await hub.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"] and await hub.good(second["access_token"])
    assert (await hub.revoke(second["refresh_token"])).status_code == 200
    assert not await hub.good(second["access_token"]) and not await hub.good(first["access_token"])
    assert (await hub.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_lost_answer_can_be_asked_for_again_with_the_same_key(hub: Issued) -> None:
    first = await hub.sign_in()
    key = "01J0000000000000000000KEY1"
    one = (await hub.refresh(first["refresh_token"], key)).json()
    two = (await hub.refresh(first["refresh_token"], key)).json()
    assert one["refresh_token"] == two["refresh_token"]
    assert (await hub.refresh(two["refresh_token"], "01J0000000000000000000KEY2")).status_code == 200


async def test_without_offline_access_there_is_no_refresh_token(hub: Issued) -> None:
    assert "refresh_token" not in await hub.sign_in(Flow(scope="openid email"))


async def test_somebody_who_may_no_longer_sign_in_has_no_good_tokens(hub: Issued) -> None:
    token = await hub.sign_in()
    hub.people.known = []
    assert not await hub.good(token["access_token"])
    assert (await hub.refresh(token["refresh_token"])).status_code == 400


async def test_an_mcp_client_registers_itself_and_signs_in(hub: Issued) -> None:
    asked = {"client_name": "Some agent", "redirect_uris": ["http://localhost/done", "http://127.0.0.1/done"]}
    made = (await hub.http.post("/oauth/register", json=asked)).json()
    flow = Flow(client=made["client_id"], back="http://localhost:5123/done")
    page = await hub.page(flow)
    assert "Some agent" in page.text and "localhost:5123" in page.text
    assert (await hub.sign_in(flow))["access_token"]
    assert (await hub.page(Flow(client=made["client_id"], back="https://agent.example/else"))).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": ["http://evil.example/"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://agent.example/"]},
        {"redirect_uris": ["http://ann@localhost/"]},
        {"redirect_uris": ["http://localhost/#x"]},
        {"redirect_uris": []},
        {"redirect_uris": ["http://localhost/"], "token_endpoint_auth_method": "client_secret_basic"},
        {"redirect_uris": ["http://localhost/"], "client_name": "a\nb"},
        {"redirect_uris": ["http://localhost/"], "client_name": "Solo-Unicorn on this computer"},
    ],
)
async def test_a_registration_outside_the_rules_is_refused(hub: Issued, wrong: dict[str, object]) -> None:
    refused = await hub.http.post("/oauth/register", json=wrong)
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_client_metadata"


async def test_keys_are_replaced_in_time_and_old_tokens_stay_good(hub: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (await hub.sign_in())["access_token"]
    monkeypatch.setattr("solo_unicorn.hub.signin.keys.SIGNS_SECONDS", -1)
    now = time.time
    monkeypatch.setattr("solo_unicorn.hub.signin.keys.time.time", lambda: now() + 1)
    new = (await hub.sign_in())["access_token"]
    keys = (await hub.http.get("/oauth/jwks")).json()["keys"]
    assert len({key["kid"] for key in keys}) >= 2
    assert await hub.good(old) and await hub.good(new)
