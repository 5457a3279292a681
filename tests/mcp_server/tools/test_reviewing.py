"""Comments that an agent lists and answers, and the tour it proposes, over a real client."""

from __future__ import annotations

from solo_unicorn.missions.comments import anchor_at
from solo_unicorn.workspace import operations, queries

from ..conftest import Board, data, error

LINES = ["def pay(sum):", "    charge(sum)", "    return sum"]
SUGGESTED = "Once:\n```suggestion\n    charge_once(sum)\n```"


async def test_comments_are_listed_with_their_lines_and_answered_one_by_one(board: Board) -> None:
    await board.add("Retry payments", description="Retry\nthree times")
    anchor = anchor_at(LINES, 2)

    add = operations.comments.add
    first = await board.do(lambda ws: ws.write(add, "M-1", "pay.py", 2, "new", SUGGESTED, anchor=anchor).id)
    text = await board.do(lambda ws: ws.write(add, "M-1", "", 2, "new", "Why three?", about="description").id)
    async with board.client(await board.run_of("M-1")) as client:
        listed = data(await client.call_tool("list_comments", {}))["comments"]
        assert [(one["id"], one.get("about"), one["line"]) for one in listed] == [
            (text[-6:].lower(), "description", 2),
            (first[-6:].lower(), None, 2),
        ]
        assert listed[1]["linesThen"] == LINES and listed[1]["suggestion"] == "    charge_once(sum)\n"
        done = data(await client.call_tool("answer_comment", {"comment": listed[1]["id"], "text": "Charged once"}))
        assert done["waiting"] == 1 and done["comment"]["state"] == "handled"
        asked = {"comment": listed[0]["id"], "text": "Four?", "handled": False}
        assert data(await client.call_tool("answer_comment", asked))["waiting"] == 1
        assert [one["id"] for one in data(await client.call_tool("list_comments", {}))["comments"]] == [listed[0]["id"]]
        assert len(data(await client.call_tool("list_comments", {"all": True}))["comments"]) == 2
        missing = error(await client.call_tool("answer_comment", {"comment": "abcdef", "text": "x"}))
        assert missing["code"] == "not_found"
    kept = await board.do(lambda ws: ws.read(queries.comments.of_mission, "M-1"))
    assert [one.answers[0].author.kind for one in kept] == ["agent", "agent"]


async def test_a_tour_takes_the_place_of_the_one_before_and_is_no_comment(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        stops = [
            {"file": "pay.py", "line": 3, "reason": "The rule"},
            {"file": "till.py", "line": 1, "reason": "Its use"},
        ]
        assert data(await client.call_tool("propose_tour", {"stops": stops}))["stops"] == 2
        assert data(await client.call_tool("propose_tour", {"stops": stops[:1]}))["stops"] == 1
        assert data(await client.call_tool("list_comments", {"all": True}))["comments"] == []
        outside = {"stops": [{"file": "/etc/passwd", "line": 1, "reason": "x"}]}
        assert error(await client.call_tool("propose_tour", outside))["field"] == "file"
    kept = await board.do(lambda ws: ws.read(queries.comments.of_mission, "M-1"))
    assert [(one.stop, one.where, one.text, one.open) for one in kept] == [(1, "pay.py:3", "The rule", False)]
