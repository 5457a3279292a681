"""What a hub has: public projects, one's own, templates."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import Json
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.hub import gallery
from solo_unicorn.tui.hub.sign_in import SignInScreen
from solo_unicorn.tui.kit.sheets.line import LineScreen
from solo_unicorn.tui.project.projects import ProjectsScreen

from ..conftest import Commanded, Story, ready, text, until


async def test_a_public_project_is_found_starred_asked_for_and_mirrored(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Json = [{"id": "P1", "publicSlug": "lighthouse", "name": "Lighthouse", "starCount": 1}]

    def answer(*arguments: str) -> Json:
        if arguments[:2] == ("projects", "star"):
            raise SoloUnicornError("hub wants a sign-in", todo="`solo-unicorn auth login`")
        if arguments == ("project", "connect"):
            return [{"id": "P3", "name": "Cellar", "visibility": "private"}]
        return found if arguments[1] in ("browse", "search", "templates") else {"id": "P2"}

    story.commands = asked = Commanded(answer)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen))
        await pilot.press("b")
        await until(pilot, lambda: "Lighthouse" in text(pilot))
        await pilot.press("slash", *"lamp", "enter")
        await until(pilot, lambda: ("projects", "search", "--", "lamp") in asked and pilot.app.screen.focused)
        await pilot.press("s")
        await until(pilot, lambda: [one.title for one in pilot.app._notifications] == ["hub wants a sign-in"])
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
        await pilot.press("end", "space", *"please", "enter")
        wish = ("projects", "request-access", "lighthouse", "--role", "contributor", "--message=please")
        await until(pilot, lambda: wish in asked)
        await until(pilot, lambda: isinstance(pilot.app.screen, gallery.GalleryScreen))
        await pilot.press("m")
        await until(pilot, lambda: "Your projects" in text(pilot) and "private" in text(pilot))
        await pilot.press("m")
        await until(pilot, lambda: "Public projects with lamp" in text(pilot))
        await pilot.press("t")
        await until(pilot, lambda: "Templates" in text(pilot) and "Lighthouse" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, lambda: ("project", "connect", "P2") in asked)
        assert ("projects", "create-from-template", "P1", "--name=Lighthouse") in asked


async def test_what_the_hub_says_against_it_stands_in_the_gallery(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*arguments: str) -> Json:
        raise SoloUnicornError("Nobody is signed in", todo="`solo-unicorn auth login --hub URL`")

    story.commands = Commanded(answer)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(gallery.GalleryScreen())
        await until(pilot, lambda: "Nobody is signed in" in text(pilot) and "auth login --hub URL" in text(pilot))
        await pilot.press("s", "r", "enter", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, SignInScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, gallery.GalleryScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_an_invitation_is_accepted_or_declined_on_the_screen(story: Story) -> None:
    one = {"id": "I1", "organization": "Ann's", "role": "member", "invitedBy": "ann@example.org"}
    waiting: list[Json] = [{**one, "expiresAt": "2026-03-01T00:00:00Z"}, {**one, "id": "I2", "expiresAt": "2026-03-02"}]

    def answer(*arguments: str) -> Json:
        if arguments[0] != "invitation":
            return []
        if arguments[1] != "list":
            waiting.pop(0)
        return list(waiting)

    story.commands = asked = Commanded(answer)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(gallery.GalleryScreen())
        await until(pilot, lambda: "No public project matches" in text(pilot))
        await pilot.press("v")
        await until(pilot, lambda: "from ann@example.org, valid until 2026-03-01" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Join Ann's as member?" in text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, gallery.GalleryScreen))
        assert not any("accept" in words for words in asked), "nothing without a yes"
        await pilot.press("enter")
        await until(pilot, lambda: "Join Ann's as member?" in text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: ("invitation", "accept", "I1") in asked and "2026-03-02" in text(pilot))
        await pilot.press("x")
        await until(pilot, lambda: ("invitation", "decline", "I2") in asked)
        await until(pilot, lambda: "There are no invitations for you" in text(pilot))
