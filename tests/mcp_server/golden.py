"""Write tools-list.json anew after a decided change of what models are shown; read the diff before committing it."""

from __future__ import annotations

import json
from pathlib import Path

from solo_unicorn.mcp_server.tools.listed import TOOLS

if __name__ == "__main__":
    listed = [tool.listing() for tool in TOOLS]
    Path(__file__).with_name("tools-list.json").write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n")
