"""What a run may read and write on this machine, and how that is enforced (docs/agents.md).

levels.py       off, guard, strict: which one counts
places.py       the places of a machine that matter: secrets, what runs as the person later, control sockets
describing.py   a level and a run to a `SandboxView`: one description for every back-end
view.py         places with their access; the innermost place that covers a path decides
choosing.py     what this machine can do, and the command that an agent is started with
bubblewrap.py   Linux, with user namespaces
landlock.py     Linux without them
seatbelt.py     macOS
enter.py        the last program before the agent's: restricts itself where it has to, then becomes the agent
watching.py     writes outside of the worktree that happened all the same
"""
