"""What is read from the workspace: functions of a connection, which `Workspace.read` runs on one state of it.

`queries.missions.get` names one; its module is imported when it is first used, as the first paint needs few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...system.lazy import modules_of

if TYPE_CHECKING:
    from . import attachments as attachments
    from . import board as board
    from . import comments as comments
    from . import connection as connection
    from . import exports as exports
    from . import greeting as greeting
    from . import inbox as inbox
    from . import memory as memory
    from . import metrics as metrics
    from . import missions as missions
    from . import offers as offers
    from . import projects as projects
    from . import pull_requests as pull_requests
    from . import review_marks as review_marks
    from . import sessions as sessions
    from . import undo as undo
    from . import usage as usage
    from . import workstation as workstation
else:
    __getattr__ = modules_of(__name__)
