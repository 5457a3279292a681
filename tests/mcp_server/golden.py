"""Write tools-list.json anew after a decided change of what models are shown; read the diff before committing it."""

from __future__ import annotations

import json
from pathlib import Path

from solo_unicorn.mcp_server.caller import A_RUN, PERSONAL
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.missions.entities import JsonObject


def listed() -> dict[str, list[JsonObject]]:
    """The tools as each face is shown them."""
    faces = {"person": PERSONAL, "run": A_RUN}
    return {name: [tool.listing(who) for tool in TOOLS if tool.allows(who)] for name, who in faces.items()}


if __name__ == "__main__":
    Path(__file__).with_name("tools-list.json").write_text(json.dumps(listed(), indent=1, ensure_ascii=False) + "\n")
