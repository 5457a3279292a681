"""A code agent that prints what no program should: numbers that are none, half characters, depths and lengths.

Run as a file of its own: it knows nothing of this package. It never finishes its stage.
"""

from __future__ import annotations

import random
import sys

HUGE = "9" * 6000
NUMBERS = ("NaN", "-Infinity", "1e400", "-5", "1e308", "1" + "0" * 23, HUGE, '"7"', "null", "true", "[1]", "2.5")
TEXTS = (
    r"half \ud83d an emoji",
    r"\ude00 the other half",
    r"a NUL \u0000 and a bell \u0007",
    r"\u202e backwards \u001b[2J",
    "é" * 100_000,
    r"\ud83d" * 3000,
)


def main() -> None:
    """A conversation of such lines, drawn anew each time."""
    if "--version" in sys.argv:
        print("9.9.9")
        return
    sys.stdin.readline()
    drawn = random.Random()
    text, other = (drawn.choice(TEXTS) for _ in range(2))
    usage = ",".join(
        f'"{name}":{drawn.choice(NUMBERS)}'
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    lines = [
        f'{{"type":"system","subtype":"init","session_id":"{drawn.choice(("c1", text))}","tools":[]}}',
        f'{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}}],"usage":{{{usage}}}}}}}',
        f'{{"type":"assistant","message":{{"content":[{{"type":"tool_use","name":"{other}","id":{drawn.choice(NUMBERS)},'
        f'"input":{{"command":"{text}"}}}}]}}}}',
        f'{{"type":{drawn.choice(NUMBERS)}}}',
        "[" * 20_000,
        '{"type":"result","result":' + "[" * 20_000,
        '{"type":"assistant","message":' * 5000,
        f'{{"type":"result","subtype":"success","is_error":{drawn.choice(("true", "false", "NaN"))},"result":"{other}",'
        f'"session_id":"c1","num_turns":{drawn.choice(NUMBERS)},"total_cost_usd":{drawn.choice(NUMBERS)},'
        f'"usage":{{{usage}}},"errors":["{text}"]}}',
    ]
    for line in lines:
        sys.stdout.buffer.write(line.encode() + b"\n")
        if drawn.random() < 0.3:
            sys.stdout.buffer.write(bytes(drawn.randrange(256) for _ in range(200)) + b"\n")
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(b"\xff\xfe\x00 " + text.encode() + b"\n")
    sys.exit(drawn.choice((0, 1)))


if __name__ == "__main__":
    main()
