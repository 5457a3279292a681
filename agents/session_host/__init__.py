"""The session host: owns the pipes of one agent for as long as it runs. The standard library and system/ only.

daemon.py       takes the run directory's lock, goes into the background, tells its starter
plan.py         what to start and when to end it: launch.json
session.py      the loop: reads the agent, obeys the control socket, watches the clocks
ending.py       how an agent is ended, and what it left behind
tape.py         lines to transcript entries, the transcript's files
control.py      the Unix socket
processes.py    process trees, and signals that cannot hit a stranger
"""
