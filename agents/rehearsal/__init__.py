"""The rehearsal agent: behaves like a code agent, without a model.

`python -P -m solo_unicorn.agents.rehearsal` is started like a code agent, speaks Claude-compatible stream-json, works
on its mission through our MCP server as a real client, and edits and commits with real git. What it writes is made up,
and says so: everything carries the label below.
"""

LABEL = "rehearsal (no model)"
