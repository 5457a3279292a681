"""Starts a session host: `python -I -S …/agents/host.py RUN_DIR`. Its modules are in session_host/.

Run by file path with the standard library alone, so that it costs little, starts fast, and needs nothing of the
environment it was installed in: an upgrade of this package while it runs does it no harm, it has loaded all it needs.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":
    root = Path(__file__).parents[1]  # the package, whatever its folder is called
    spec = spec_from_file_location("solo_unicorn", root / "__init__.py", submodule_search_locations=[str(root)])
    assert spec is not None
    sys.modules[spec.name] = module_from_spec(spec)
    sys.exit(import_module("solo_unicorn.agents.session_host.daemon").main(sys.argv[1:]))
