"""What changes the workspace: functions of a change, which `Workspace.write` runs in one transaction.

Those on missions are the domain's own (`missions/operations`), the same at a hub; the others are about this machine
and its store. `operations.missions.create` names one; its module is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...system.lazy import modules_of

if TYPE_CHECKING:
    from ...missions.operations import comments as comments
    from ...missions.operations import landing as landing
    from ...missions.operations import memory as memory
    from ...missions.operations import missions as missions
    from ...missions.operations import parts as parts
    from ...missions.operations import review as review
    from ...missions.operations import sessions as sessions
    from . import attachments as attachments
    from . import bulk as bulk
    from . import change_measures as change_measures
    from . import dispatch as dispatch
    from . import doubts as doubts
    from . import filters as filters
    from . import identity as identity
    from . import imports as imports
    from . import inbox as inbox
    from . import offers as offers
    from . import projects as projects
    from . import pull_requests as pull_requests
    from . import repair as repair
    from . import review_marks as review_marks
    from . import sample as sample
    from . import tutorial as tutorial
    from . import undo as undo
    from . import workstation as workstation
else:
    _DOMAIN = f"{__package__.rsplit('.', 2)[0]}.missions.operations"
    _OF_THE_DOMAIN = ("comments", "landing", "memory", "missions", "parts", "review", "sessions")
    __getattr__ = modules_of(__name__, dict.fromkeys(_OF_THE_DOMAIN, _DOMAIN))
