"""An app server as Codex's speaks, which does what its prompt says; what it is asked it prints to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

THREAD = "01a2-thread"


def send(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def note(method: str, thread: str = THREAD, **params: Any) -> None:
    send(method=method, params={"threadId": thread, **params})


def item(kind: str, id_: str = "i", thread: str = THREAD, *, ends: bool = True, **values: Any) -> None:
    note("item/started", thread, item={"type": kind, "id": id_, **values})
    if ends:
        note("item/completed", thread, item={"type": kind, "id": id_, **values})


def over(status: str = "completed", thread: str = THREAD) -> None:
    note("turn/completed", thread, turn={"id": "turn", "status": status, "items": [], "error": None})


def heard() -> dict[str, Any]:
    """The next message, a request or an answer; the end of the input ends us."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit
    message: dict[str, Any] = json.loads(line)
    if "method" in message:
        print(json.dumps({"method": message["method"], "params": message.get("params", {})}), file=sys.stderr)
    return message


def act(prompt: str) -> None:
    """One turn."""
    word, _, rest = prompt.partition(" ")
    match word:
        case "say":
            item("agentMessage", text=rest)
        case "change":
            item("fileChange", "f", ends=False, changes=[{"path": rest, "kind": {"type": "update"}, "diff": ""}])
            send(id=7, method="item/fileChange/requestApproval", params={"threadId": THREAD, "itemId": "f"})
            print("decision", heard()["result"]["decision"], file=sys.stderr)
        case "wait":
            return wait(deaf=rest == "deaf")
        case "die":
            raise SystemExit(3)
        case "rubbish":
            print("this is not JSON\n[1, 2]\n" + json.dumps({"id": 99, "result": {}}), flush=True)
            send(id="x", method="item/unheard/of", params={})
            assert heard()["error"]["code"] == -32601
            note("item/started", item={"type": "unheardOf", "id": "u"})
        case "answer":
            over()
        case "delegate":
            spawned: dict[str, Any] = {
                "tool": "spawnAgent",
                "receiverThreadIds": ["child"],
                "prompt": "look",
                "status": "completed",
            }
            item("collabAgentToolCall", "spawn", **spawned)
            item("commandExecution", "c", "child", command="ls", status="completed", exitCode=0)
            item("agentMessage", "m", "child", text="child's words")
            over(thread="child")
            item("agentMessage", text="all done")
    over()


def wait(*, deaf: bool) -> None:
    while True:
        message = heard()
        match message.get("method"):
            case "turn/steer" if deaf:
                send(id=message["id"], error={"code": -32600, "message": "not now"})
                return over()
            case "turn/steer":
                send(id=message["id"], result={})
                item("agentMessage", text=f"heard {message['params']['input'][0]['text']}")
                return over()
            case "turn/interrupt":
                send(id=message["id"], result={})
                return over("interrupted")


def main() -> None:
    while True:
        message = heard()
        match message:
            case {"method": "thread/resume", "params": {"threadId": "unknown"}}:
                send(id=message["id"], error={"code": -32600, "message": "no rollout found"})
            case {"method": "thread/start" | "thread/resume"}:
                send(id=message["id"], result={"thread": {"id": THREAD, "cliVersion": "0.169.0"}, "model": "m"})
            case {"method": "turn/start", "params": {"input": [{"text": prompt}, *_]}}:
                send(id=message["id"], result={"turn": {"id": "turn"}})
                note("turn/started", turn={"id": "turn"})
                act(prompt)
            case {"method": str(), "id": id_}:
                send(id=id_, result={})


if __name__ == "__main__":
    main()
