"""Starts a session host: `python -I -S …/agents/host.py RUN_DIR`. Its modules are in session_host/.

Run by file path with the standard library alone, so that it costs little, starts fast, and needs nothing of the
environment it was installed in: an upgrade of this package while it runs does it no harm, it has loaded all it needs.
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    host = import_module("session_host.daemon")
    del sys.path[0]
    sys.exit(host.main(sys.argv[1:]))
