"""An agent that says over ACP what its book says, line for line, however wrong: `python acp_playbook.py BOOK HEARD`.

BOOK is a JSON object: by method, what is done each time it is called; `method#2` is for the second time. A step is a
line as it is (`$ID` is the id of the request), or an object: a `result` or an `error` is
the answer, `{"wait": WORD}` reads on until a line holds that word, `{"exit": 7}` ends. HEARD gets every line it read.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

book: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
heard = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
times: dict[str, int] = {}


def read() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    os.write(heard, line.encode())
    found: dict[str, Any] = json.loads(line)
    return found


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def play(message: dict[str, Any]) -> None:
    method = message["method"]
    times[method] = times.get(method, 0) + 1
    steps = book.get(f"{method}#{times[method]}", book.get(method))
    if steps is None:
        steps = [{"error": {"code": -32601, "message": "Method not found"}}] if "id" in message else []
    for step in steps:
        if isinstance(step, str):
            say(step.replace("$ID", json.dumps(message.get("id"))))
        elif "wait" in step:
            while str(step["wait"]) not in json.dumps(read()):
                pass
        elif "exit" in step:
            os._exit(step["exit"])
        else:
            say(json.dumps({"jsonrpc": "2.0", "id": message["id"], **step}))


while True:
    found = read()
    if "method" in found:
        play(found)
