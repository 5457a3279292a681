"""Connected projects: the replica of a hub's missions, what was done here since, and how the two come together.

Its modules hold functions that `Workspace.read` and `Workspace.write` run; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import connecting as connecting
    from . import files as files
    from . import history as history
    from . import mirroring as mirroring
    from . import settling as settling
else:

    def __getattr__(name):
        from importlib import import_module
        from importlib.util import find_spec

        if name.startswith("__") or find_spec(f"{__name__}.{name}") is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")
