"""`repo add` of repositories on GitHub, and on an Enterprise host of any name."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import SYSTEM, USER, PullRequest
from solo_unicorn.missions.errors import Conflict
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.github.hosts import RepositoryName, enterprise_name

from ..cli.conftest import Run
from . import contract
from .conftest import Checkout
from .double import TOKEN, Answer, GitHubDouble


@pytest.fixture
def signed_in(double: GitHubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_API_URL", double.url)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", TOKEN)


@pytest.mark.parametrize("host", ["github.acme.example", "git.acme.example"])
@pytest.mark.usefixtures("signed_in")
def test_adding_records_githubs_number(
    run: Run, project: str, checkout: Checkout, double: GitHubDouble, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_HOSTS", "other.example, git.acme.example")
    checkout.git("remote", "set-url", "origin", f"git@{host}:acme/shop.git")
    added = run("repo", "add", str(checkout.path), "--json")
    assert added.code == 0, added.err
    assert (added.data["githubRepoId"], added.data["githubFullName"]) == (double.id, "acme/shop")
    assert added.data["githubUrl"] == f"https://{host}/acme/shop"
    with Workspace.open() as workspace:
        mission = run("mission", "create", "Pay", "--json").data
        assert workspace.read(queries.missions.get, mission["id"]).repository_id == double.id
    assert run("mission", "pr", "1").code == 3


@pytest.mark.usefixtures("signed_in")
def test_adding_goes_on_when_github_does_not_answer(
    run: Run, project: str, checkout: Checkout, double: GitHubDouble
) -> None:
    double.interrupt = lambda method, path: Answer(503, {"message": "down"}, {"Retry-After": "1"})
    checkout.git("remote", "set-url", "origin", "https://github.acme.example/acme/shop")
    added = run("repo", "add", str(checkout.path), "--json")
    assert added.code == 0 and "githubRepoId" not in added.data
    assert "GitHub could not be asked" in added.err
    assert double.counted("GET") == [503], "asked once, without waiting"


@pytest.mark.usefixtures("signed_in")
def test_a_token_that_may_only_read_is_said_when_the_repository_is_added(
    run: Run, project: str, checkout: Checkout, double: GitHubDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = double._repository()
    only_reads = {**whole["permissions"], "push": False}
    monkeypatch.setattr(double, "_repository", lambda: {**whole, "permissions": only_reads})
    checkout.git("remote", "set-url", "origin", "https://github.acme.example/acme/shop")
    added = run("repo", "add", str(checkout.path), "--json")
    assert added.code == 0 and "may only read acme/shop" in added.err
    assert added.data["githubPermissions"]["push"] is False


def test_hosts_of_any_name_are_known_when_they_are_named() -> None:
    name = RepositoryName("git.acme.example", "acme", "shop")
    for url in (
        "git@git.acme.example:acme/shop.git",
        "ssh://git@git.acme.example:2222/acme/shop",
        "https://git.acme.example/acme/shop.git/",
        "https://ann@GIT.acme.example/acme/shop",
    ):
        assert enterprise_name(url, "x.example,git.acme.example") == name, url
    for url in ("https://evil.example/git.acme.example/acme/shop", "/srv/git/shop.git", ""):
        assert enterprise_name(url, "git.acme.example") is None, url
    assert enterprise_name("https://git.acme.example/acme/shop", "") is None


def test_the_workspace_takes_a_look_in_once(home: object) -> None:
    with Workspace.open() as workspace:
        found = workspace.write(operations.projects.create, "Acme")
        repository = workspace.write(
            operations.projects.add_repository, found.id, "shop", local_path="/nowhere", github_owner="acme"
        )
        from solo_unicorn.missions.rules.creating import MissionDraft

        flow = next(flow for flow in workspace.read(queries.projects.flows, found.id) if flow.name == "Direct")
        mission = workspace.write(operations.missions.create, found.id, MissionDraft("Pay", flow_id=flow.id))
        workspace.write_as(USER, operations.review.complete_stage, mission.id, "done")
        workspace.write_as(SYSTEM, operations.landing.started, mission.id)
        seen = PullRequest(head="a" * 40)
        opened = workspace.write_as(SYSTEM, operations.pull_requests.opened, mission.id, 7, "u", "b", seen)
        assert [one.id for one in workspace.read(queries.pull_requests.followed)] == [mission.id]
        assert workspace.read(queries.projects.repository, repository.id).last_pr_sync_at is not None
        last = workspace.read(queries.board.last_seq)
        assert workspace.write_as(SYSTEM, operations.pull_requests.seen, mission.id, 7, seen) == opened
        assert workspace.read(queries.board.last_seq) == last, "nothing new, nothing written"
        green = workspace.write_as(
            SYSTEM, operations.pull_requests.seen, mission.id, 7, PullRequest(head="a" * 40, checks="passed")
        )
        assert green.version == opened.version, "what a machine notes makes nobody's knowledge stale"
        with pytest.raises(Conflict, match="another pull request"):
            workspace.write_as(SYSTEM, operations.pull_requests.seen, mission.id, 8, seen)
        merged = PullRequest("merged", head="a" * 40, merge_commit="b" * 40)
        assert workspace.write_as(SYSTEM, operations.pull_requests.seen, mission.id, 7, merged).list == "done"
        assert workspace.read(queries.pull_requests.followed) == []


def test_the_double_itself_is_held_to_githubs_contract(double: GitHubDouble) -> None:
    right = double._repository()
    contract.check_response("GET", "/repos/acme/shop", 200, right)
    for wrong in (right | {"id": "x"}, {"id": 1}, None):
        with pytest.raises(contract.NotInContract):
            contract.check_response("GET", "/repos/acme/shop", 200, wrong)
    with pytest.raises(contract.NotInContract):
        contract.check_response("GET", "/repos/acme/shop", 418, right)
    for method, path, query, content in (
        ("DELETE", "/repos/acme/shop", {}, None),
        ("GET", "/repos/acme/shop/issues", {}, None),
        ("GET", "/repos/acme/shop", {"unknown": "1"}, None),
        ("GET", "/repos/acme/shop/pulls/seven", {}, None),
        ("GET", "/repos/acme/shop/pulls", {"state": "merged"}, None),
        ("POST", "/repos/acme/shop/pulls", {}, {"title": "no head"}),
        ("POST", "/repos/acme/shop/pulls", {}, {"head": "a", "base": "b", "titel": "x"}),
        ("PUT", "/repos/acme/shop/pulls/7/merge", {}, {"merge_method": "fast-forward"}),
    ):
        with pytest.raises((contract.NotInContract, ValueError)):
            contract.check_request(method, path, query, content)
