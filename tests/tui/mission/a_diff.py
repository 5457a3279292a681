"""A diff as the command line answers with one."""

from __future__ import annotations

from solo_unicorn.missions.entities import JsonObject

DIFF: JsonObject = {
    "base": "a",
    "head": "b",
    "added": 2,
    "removed": 1,
    "files": [
        {
            "path": "src/pay/retry.ts",
            "oldPath": None,
            "status": "modified",
            "added": 1,
            "removed": 1,
            "binary": False,
            "truncated": False,
            "uncommitted": True,
            "hunks": [
                {
                    "oldStart": 12,
                    "oldCount": 1,
                    "newStart": 12,
                    "newCount": 1,
                    "section": "pay()",
                    "runs": ["0123456789abcdef"],
                    "lines": [
                        {"kind": "-", "text": "await charge(order)", "old": 12, "new": None},
                        {"kind": "+", "text": "await retry(() => charge(order))", "old": None, "new": 12},
                    ],
                }
            ],
        },
        {
            "path": "logo.png",
            "oldPath": None,
            "status": "added",
            "added": 1,
            "removed": 0,
            "binary": True,
            "truncated": False,
            "uncommitted": False,
            "digest": "fedcba9876543210",
            "hunks": [],
        },
    ],
}
