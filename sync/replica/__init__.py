"""Connected projects: the replica of a hub's missions, what was done here since, and how the two come together.

Its modules hold functions that `Workspace.read` and `Workspace.write` run; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...system.lazy import modules_of

if TYPE_CHECKING:
    from . import connecting as connecting
    from . import files as files
    from . import history as history
    from . import resolving as resolving
    from . import sending as sending
    from . import sync_steps as sync_steps
else:
    __getattr__ = modules_of(__name__)
