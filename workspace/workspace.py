"""The one class through which every process of this machine reads and changes the workspace."""

from __future__ import annotations

from ..sync.replica.connecting import ConnectingOperations
from ..sync.replica.files import FileOperations
from ..sync.replica.history import HistoryOperations
from ..sync.replica.operations import SyncOperations
from ..sync.replica.settling import SettlingOperations
from .attachments import AttachmentOperations
from .board import BoardOperations
from .bulk import BulkOperations
from .change_state import ChangeStateOperations
from .comments import CommentOperations
from .console import ConsoleOperations
from .filters import FilterOperations
from .finishing import FinishingOperations
from .inbox import InboxOperations
from .memory import MemoryOperations
from .missions import MissionOperations
from .projects import ProjectOperations
from .pull_requests import PullRequestOperations
from .running import RunningOperations
from .sample import SampleOperations
from .transfer import TransferOperations
from .tutorial import TutorialOperations
from .undo import UndoOperations


class Workspace(
    BoardOperations,
    TutorialOperations,
    MissionOperations,
    BulkOperations,
    FilterOperations,
    ProjectOperations,
    RunningOperations,
    FinishingOperations,
    PullRequestOperations,
    CommentOperations,
    ChangeStateOperations,
    MemoryOperations,
    InboxOperations,
    AttachmentOperations,
    UndoOperations,
    ConsoleOperations,
    TransferOperations,
    SampleOperations,
    SyncOperations,
    HistoryOperations,
    FileOperations,
    ConnectingOperations,
    SettlingOperations,
):
    """Every read and every domain operation, each in the module named after its subject.

    A write validates with `missions`, then saves the change and its event in one transaction that is durable when the
    method returns, and wakes the other processes. `by` says who makes the change (default: the person).
    """
