"""How connected projects stand, as every screen and command says it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from .errors import Conflict, NotFound, Offline, SignedOut, SoloUnicornError, TryAgain
from .records import record

TroubleKind = Literal[
    "signed_out",
    "keychain",
    "credentials",
    "renewal",
    "certificate",
    "proxy",
    "settings",
    "unreachable",
    "silent",
    "not_ready",
    "failing",
    "unreadable",
    "busy",
    "forbidden",
    "gone",
    "refused",
]
"""What may stand between here and a hub."""
OF_PROJECT: Final = frozenset({"forbidden", "gone", "refused"})
"""Troubles that are about one project; the others are about the whole hub."""
Kind = TroubleKind | Literal["stopped", "stale", "first", "polling", "synced", "archived"]
ANSWER_LATE: Final = timedelta(seconds=30)
"""How much later than it was due the next look at a hub may be, before the last one says nothing about now."""


@record
class Words:
    """A state: in a few words, what to do in a few words, in a sentence, and what to do in a sentence.

    `{hub}`, `{project}` and `{since}` are filled in, and `{again}`: by whom it is tried again.
    """

    short: str
    brief: str
    sentence: str
    todo: str


BY_ITSELF: Final = "it is retried automatically"
BY_YOU: Final = "then try again"
OWNER: Final = "ask an owner of the project; `solo-unicorn project disconnect --force` keeps what is here"
ENDED: Final = "the sign-in has ended"  # of a request without a token: the state says so anyway
SAYS: Final[dict[Kind, Words]] = {
    "signed_out": Words(
        "needs sign-in",
        "press U, then i",
        "The sign-in at {hub} has ended",
        "sign in again: `solo-unicorn auth login --hub {hub}`",
    ),
    "keychain": Words(
        "keychain locked",
        "unlock it",
        "The keychain with the sign-in at {hub} does not open",
        "unlock the keychain; {again}",
    ),
    "credentials": Words(
        "sign-in file damaged",
        "move it away and sign in",
        "The sign-in at {hub} is kept in a file that cannot be read",
        "`solo-unicorn auth whoami` names the file: move it away, then `solo-unicorn auth login --hub {hub}`",
    ),
    "renewal": Words(
        "sign-in not renewed since {since}",
        "check its issuer",
        "The sign-in at {hub} could not be renewed",
        "your changes are kept here; check that its issuer (the hub, unless it names another) is running; {again}",
    ),
    "certificate": Words(
        "certificate refused",
        "ask the hub's operator",
        "The certificate of {hub} is not trusted",
        "ask the hub's operator for a valid one, or for the certificate of its authority",
    ),
    "proxy": Words(
        "proxy wants sign-in",
        "set HTTPS_PROXY",
        "A proxy in front of {hub} requires a sign-in",
        "add it to HTTP_PROXY and HTTPS_PROXY, as name:password@ before the host, and restart the service",
    ),
    "settings": Words(
        "network settings invalid",
        "see HTTPS_PROXY",
        "The network settings of this machine cannot be used to reach {hub}",
        "correct HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE (SOCKS is not supported); restart the service",
    ),
    "unreachable": Words(
        "offline since {since}",
        "check network and hub",
        "{hub} cannot be reached",
        "check the network, and that the hub is running; {again}",
    ),
    "silent": Words(
        "hub silent since {since}",
        "restart the hub",
        "{hub} accepts connections and does not answer",
        "the hub hangs: its operator can restart it; {again}",
    ),
    "not_ready": Words(
        "hub not ready since {since}",
        "see its /readyz",
        "{hub} is starting, or cannot reach its database",
        "{hub}/readyz says what it is waiting for; {again}",
    ),
    "failing": Words(
        "hub failing since {since}", "see its log", "{hub} answers with an error", "see the hub's log; {again}"
    ),
    "unreadable": Words(
        "hub unreadable since {since}",
        "check address and proxy",
        "Something that is not a hub answers at {hub}",
        "check the address, the proxy, and whether the network requires a sign-in; {again}",
    ),
    "busy": Words(
        "hub busy since {since}", "it is tried again", "{hub} asks clients to wait", "wait a moment; {again}"
    ),
    "stopped": Words(
        "not synchronised since {since}",
        "start the service",
        "Nothing on this machine is synchronising with {hub}",
        "`solo-unicorn workstation start --background`, or `solo-unicorn sync --watch`",
    ),
    "stale": Words(
        "no news since {since}",
        "restart the service",
        "The process that synchronises with {hub} has stopped doing so",
        "`solo-unicorn workstation restart`, or end `sync --watch` and start it again",
    ),
    "forbidden": Words("no access", "ask an owner", "{hub} no longer lets you read {project}", OWNER),
    "gone": Words(
        "removed at the hub",
        "ask an owner",
        "{hub} no longer shows you {project}: you were removed from it, or it was deleted",
        OWNER,
    ),
    "refused": Words(
        "refused since {since}", "update it", "{hub} refuses to be read", "update solo-unicorn here and at the hub"
    ),
    "first": Words("first sync", "", "all of {project} is being read", ""),
    "polling": Words(
        "synced by polling",
        "",
        "{hub} is polled every few seconds, because no WebSocket gets through",
        "have the proxy in front of the hub pass on the Upgrade and Connection headers",
    ),
    "synced": Words("synced", "", "{hub} answered the last request", ""),
    "archived": Words(
        "archived",
        "",
        "{project} is archived at {hub}: an owner archived it, so the board no longer shows it",
        "`solo-unicorn project edit '{project}' --activate` restores it, `project disconnect` keeps it here only",
    ),
}
"""Every state, the most urgent first."""
WELL: Final[frozenset[Kind]] = frozenset({"first", "polling", "synced", "archived"})
"""States in which the hub answers."""
NEEDS_YOU: Final[frozenset[Kind]] = frozenset(
    {"signed_out", "keychain", "credentials", "certificate", "proxy", "settings", "forbidden", "gone"}
)
"""States that do not pass before a person does something."""
URGENCY: Final = {kind: place for place, kind in enumerate(SAYS)}


@record
class Heard:
    """What the process that synchronises last heard of an account's hub; kept outside of the workspace."""

    answered_at: datetime | None = None
    tried_at: datetime | None = None
    due_at: datetime | None = None
    """When it looks again at the latest."""
    socket: Literal["", "open", "refused"] = ""
    """Whether the hub tells of changes at once; refused: connections are answered, and not as a WebSocket."""
    socket_why: str = ""
    socket_at: datetime | None = None
    """When that was found out."""
    heartbeat_at: datetime | None = None
    """When the hub last took a heartbeat of this workstation."""
    files_why: str = ""
    """Why files do not get to the hub; empty while they do."""

    @property
    def polled(self) -> bool:
        """Whether the hub answers and no WebSocket gets through; a hub that hangs or is away refuses one as well."""
        answered, refused = self.answered_at, self.socket_at
        return self.socket == "refused" and answered is not None and (refused is None or answered > refused)

    @property
    def connection(self) -> str:
        """How changes at the hub become known here; empty when nothing is known of it."""
        match self.socket:
            case "open":
                return "WebSocket open"
            case "refused" if self.polled:
                return f"by polling: {self.socket_why}"
        return ""


@record
class Link:
    """One connected project and its hub, as the workspace knows them."""

    hub: str
    project: str = ""
    account: str = ""
    profile: str = ""
    user: str = ""
    signed_in: bool = True
    trouble: TroubleKind | None = None
    since: datetime | None = None
    reason: str = ""
    first: bool = False
    archived: bool = False
    """An owner put the project away, or deleted it: hubs keep what was deleted in their archive."""
    read_at: datetime | None = None
    heard: Heard = Heard()

    def kind(self, now: datetime, synchronising: bool) -> Kind:
        """What it is at this moment; `synchronising`: some process of this machine holds the lock for it."""
        if not self.signed_in:
            return "signed_out"
        looked = self.looked_at
        if looked is None:
            return self.trouble or ("first" if synchronising else "stopped")
        due = self.heard.due_at or looked
        if now > due + (ANSWER_LATE if synchronising else timedelta(0)):
            return "stale" if synchronising else "stopped"
        if self.trouble is not None:
            return self.trouble
        if self.first:
            return "first"
        if self.archived:
            return "archived"
        return "polling" if self.heard.polled else "synced"

    @property
    def looked_at(self) -> datetime | None:
        """When its hub was asked last, whatever became of it."""
        return max(filter(None, (self.heard.answered_at, self.heard.tried_at)), default=None)

    def moment(self, kind: Kind) -> datetime | None:
        """Since when it has been so."""
        return self.answered_at if kind in ("stopped", "stale") else self.since

    @property
    def answered_at(self) -> datetime | None:
        """When the hub was last read for it."""
        heard = None if self.trouble else self.heard.answered_at
        return max(filter(None, (self.read_at, heard)), default=None)

    def said(self, words: str, kind: Kind, again: str = BY_ITSELF) -> str:
        """Words of a state with this link's names in them."""
        moment = self.moment(kind)
        since = "" if moment is None else f"{moment.astimezone():%H:%M}"
        words = words if since else words.replace("since {since}", "yet")
        return words.format(hub=self.hub, project=self.project, since=since, again=again)


@record
class SyncState:
    """How the connected projects stand; of all of them, or of one."""

    links: tuple[Link, ...] = ()
    waiting: int = 0
    """Edits that are not at the hub yet."""
    parked: int = 0
    conflicts: int = 0
    read_only: str = ""
    oldest_waiting: datetime | None = None
    now: datetime | None = None
    """When this was looked at."""
    synchronising: bool = False
    """Whether a process of this machine synchronises now."""

    @property
    def connected(self) -> int:
        """How many projects are connected."""
        return len(self.links)

    @property
    def worst(self) -> tuple[Kind, Link] | None:
        """The most urgent state, and whose it is; None for local projects only."""
        judged = [(self.kind_of(link), link) for link in self.links]
        return min(judged, key=lambda one: URGENCY[one[0]], default=None)

    def kind_of(self, link: Link) -> Kind:
        """How one of the projects stands."""
        return "synced" if self.now is None else link.kind(self.now, self.synchronising)

    @property
    def files(self) -> Link | None:
        """Whose files do not get to a hub that answers."""
        return next((link for link in self.links if link.heard.files_why and self.kind in WELL), None)

    @property
    def accounts(self) -> tuple[Link, ...]:
        """One link for each account."""
        return tuple({link.account: link for link in self.links}.values())

    @property
    def kind(self) -> Kind:
        """The most urgent state; `synced` for local projects only."""
        worst = self.worst
        return "synced" if worst is None else worst[0]

    @property
    def word(self) -> str:
        """In a few words, the most urgent first; empty for local projects only."""
        worst = self.worst
        if worst is None:
            return ""
        kind, link = worst
        connection = link.said(SAYS[kind].short, kind)
        parts = [] if kind in WELL else [connection]
        if self.conflicts:
            parts.append(f"{self.conflicts} conflict{'s' if self.conflicts > 1 else ''}")
        if self.parked:
            parts.append(f"{self.parked} parked")
        if self.files:
            parts.append("files not sent")
        if self.waiting:
            parts.append(f"{self.waiting} to send")
        if not parts and self.read_only:
            parts.append("read-only")
        return ", ".join(parts) or connection

    @property
    def sentence(self) -> str:
        """How the connection stands, in a sentence with its reason; empty for local projects only."""
        worst = self.worst
        if worst is None:
            return ""
        kind, link = worst
        if self.files:
            return f"Files of missions do not get to {self.files.hub} ({self.files.heard.files_why})"
        error = failure(kind, link)
        return f"{error.what} ({error.why})" if error.why else error.what

    @property
    def todo(self) -> str:
        """What to do about the connection; empty when nothing is to be done."""
        worst = self.worst
        if self.files:
            return f"the files are kept here, and sent again automatically; see the log of {self.files.hub}"
        return "" if worst is None else worst[1].said(SAYS[worst[0]].todo, worst[0])

    @property
    def brief(self) -> str:
        """The same in a few words."""
        return "see the hub's log" if self.files else SAYS[self.kind].brief

    @property
    def offline_since(self) -> datetime | None:
        """Since when the hub has given no good answer, for whatever reason; None while it does."""
        worst = self.worst
        return worst[1].moment(worst[0]) if worst is not None and worst[0] not in WELL else None

    @property
    def signed_out(self) -> tuple[str, ...]:
        """Profiles that need a sign-in."""
        return tuple(sorted({link.profile for link in self.links if not link.signed_in}))

    @property
    def synced_at(self) -> datetime | None:
        """When the hub was last read for every project."""
        return min(filter(None, (link.answered_at for link in self.links)), default=None)

    def failure(self) -> SoloUnicornError | None:
        """The error of a command that was to synchronise, when the state says that it could not."""
        worst = self.worst
        if worst is None or worst[0] in WELL:
            return None
        return failure(*worst)


def failure(kind: Kind, link: Link) -> SoloUnicornError:
    """A state as an error, with the exit code that belongs to it; its reason only if the sentence lacks it."""
    of_kind: dict[Kind, type[SoloUnicornError]] = {
        "signed_out": SignedOut,
        "keychain": SoloUnicornError,
        "credentials": SoloUnicornError,
        "forbidden": Conflict,
        "gone": NotFound,
        "refused": SoloUnicornError,
        "stopped": TryAgain,
        "stale": TryAgain,
    }
    what, todo = link.said(SAYS[kind].sentence, kind), link.said(SAYS[kind].todo, kind, BY_YOU)
    why = link.heard.socket_why if kind == "polling" else link.reason if kind == link.trouble else ""
    return of_kind.get(kind, Offline)(what, why="" if why == ENDED else why, todo=todo)
