"""Every command: noun → verb → the module that holds it, loaded when it runs, and one sentence.

Help and completion read this table, so that `--help` loads nothing else.
"""

from __future__ import annotations

from typing import Final

Verbs = dict[str, tuple[str, str]]

COMMANDS: Final[dict[str, tuple[str, Verbs]]] = {
    "mission": (
        "Plan missions, make them ready, review what agents did.",
        {
            "create": ("mission.writing", "Create a mission."),
            "list": ("mission.reading", "List missions in board order."),
            "show": ("mission.reading", "Show a mission, and why it is not running."),
            "edit": ("mission.writing", "Change a mission; without options, in your editor."),
            "move": ("mission.writing", "Move a mission to a list, or within one."),
            "ready": ("mission.writing", "Mark missions ready for an agent, or not ready (--off)."),
            "approve": ("mission.review", "Approve the stage that waits for your review."),
            "reject": ("mission.review", "Send a stage back, with feedback."),
            "answer": ("mission.review", "Answer the question an agent asked."),
            "say": ("mission.review", "Send a message to the agent that works on a mission."),
            "stop": ("mission.review", "Stop the session of a mission; its work is kept."),
            "history": ("mission.reading", "Show everything that happened to a mission."),
            "log": ("mission.log", "Show what its agent did, from the transcript."),
            "diff": ("mission.diff", "Show what a mission changed in its worktree, with the comments on its lines."),
            "tour": ("mission.tour", "Show the order in which the agent proposes to read its change."),
            "mark": ("mission.mark", "Mark files of the diff as reviewed; a change in their content removes the mark."),
            "comment": (
                "mission.comment",
                "Comment on lines of the diff; the agent gets the comments when you reject.",
            ),
            "open": ("mission.open", "Open a shell, your editor or its agent in its worktree; or the PR."),
            "attach": ("mission.files", "Attach files to a mission; copies are kept."),
            "files": ("mission.files", "List the files of a mission."),
            "fetch": ("mission.files", "Download the files of a mission that are only on the hub."),
            "detach": ("mission.files", "Remove a file from a mission."),
            "pr": ("mission.pull_request", "Show its pull request with checks and comments; --merge merges it."),
            "link": ("mission.writing", "Make a mission block or relate to another."),
            "unlink": ("mission.writing", "Remove a link between missions."),
            "queue": ("mission.reading", "List ready missions in the order they will start, and what holds each back."),
            "waiting": ("mission.reading", "List what is waiting for you: reviews, questions, failures."),
            "search": ("mission.reading", "Find missions by words in their title or description."),
            "delete": ("mission.writing", "Delete missions; undo or restore brings them back."),
            "restore": ("mission.writing", "Restore a deleted mission."),
            "undo": ("mission.undoing", "Undo your last step in a project, including a landing."),
            "undo-landing": (
                "mission.undoing",
                "Remove a mission's work from its target branch, unless it has been pushed.",
            ),
            "redo": ("mission.undoing", "Redo the last undone step."),
        },
    ),
    "project": (
        "Boards, with their repositories, flows and memory.",
        {
            "create": ("project.projects", "Create a project."),
            "list": ("project.projects", "List projects."),
            "show": ("project.projects", "Show a project with its repositories and flows."),
            "edit": ("project.projects", "Change settings of a project."),
            "pause": ("project.projects", "Start nothing new in a project; running sessions continue."),
            "resume": ("project.projects", "Resume a paused project."),
            "delete": ("project.projects", "Delete a project permanently, with its missions, history and memory."),
            "connect": ("hub.connecting", "Mirror a project of a hub here; without a name, list the projects."),
            "publish": ("hub.connecting", "Publish a local project on a hub; ids stay the same."),
            "disconnect": ("hub.connecting", "Make a mirrored project local again, keeping everything."),
        },
    ),
    "filter": (
        "Queries that a project keeps by name, for the board and `mission list --query`.",
        {
            "list": ("mission.filters", "List the saved filters of a project."),
            "save": ("mission.filters", "Save a query under a name; @name in a query stands for it."),
            "delete": ("mission.filters", "Delete a saved filter."),
        },
    ),
    "keys": (
        "The keys of the screens; config.toml can change them.",
        {"list": ("machine.keys", "List the keys of every screen, and conflicts between them.")},
    ),
    "repo": (
        "The git repositories that missions work in.",
        {
            "add": ("project.repositories", "Link a checkout, or clone a URL and link it."),
            "edit": ("project.repositories", "Change a repository's name, folder, branches, limit or way of landing."),
            "list": ("project.repositories", "List linked repositories."),
            "relocate": ("project.repositories", "Set the new path of a linked checkout that was moved."),
            "remove": ("project.repositories", "Unlink a repository; its files stay."),
            "webhook": (
                "project.webhooks",
                "Set up the web hook through which GitHub reports pull requests to the hub.",
            ),
        },
    ),
    "agent": (
        "The code agents of this machine.",
        {
            "scan": ("machine.agents", "Find installed agents and check each."),
            "list": ("machine.agents", "List agents as the last scan found them."),
            "add": ("machine.agents", "Add an agent, for instance a second one of a type."),
            "set": ("machine.agents", "Change settings of an agent, such as its sandbox."),
        },
    ),
    "actor": (
        "The personas of a project, whose text goes into the prompts of missions that use them.",
        {
            "list": ("project.actors", "List the actors of a project."),
            "add": ("project.actors", "Create an actor."),
            "edit": ("project.actors", "Change an actor's text or name, or make it the default."),
            "remove": ("project.actors", "Delete an actor that no open mission uses."),
        },
    ),
    "worktree": (
        "The directories that missions work in.",
        {
            "list": ("project.worktrees", "List the worktrees of the pool."),
            "clean": (
                "project.worktrees",
                "Remove worktrees that have been unused for some days; never one with work in it.",
            ),
        },
    ),
    "workstation": (
        "The background service of this machine.",
        {
            "start": ("machine.workstation", "Run the service here, or in the background, until it is stopped."),
            "stop": ("machine.workstation", "Stop the service; sessions continue, and its next start adopts them."),
            "status": ("machine.workstation", "Show the service, its sessions and agents."),
            "restart": ("machine.workstation", "Stop the service and start it again; sessions continue."),
            "pause": ("machine.workstation", "Start nothing new on this machine; running sessions continue."),
            "resume": ("machine.workstation", "Resume starting missions on this machine."),
            "install": ("machine.workstation", "Have the system start the service at login (systemd or launchd)."),
            "uninstall": (
                "machine.workstation",
                "Stop the service and no longer start it at login; sessions continue.",
            ),
            "register": ("machine.workstation", "Register this machine at a hub."),
            "run": ("machine.workstation", "Run the service here until it is idle (as the board does)."),
        },
    ),
    "memory": (
        "The project memory: Markdown that people and agents share.",
        {
            "list": ("project.memory", "List the documents of a project."),
            "read": ("project.memory", "Print a document."),
            "append": ("project.memory", "Add text at the end of a document or section."),
            "replace": ("project.memory", "Replace a document."),
            "edit": ("project.memory", "Replace a passage of a document."),
            "delete": ("project.memory", "Delete a document, or one section of it; its versions are kept."),
            "rename": ("project.memory", "Rename a document."),
            "move": ("project.memory", "Move a section to another document or heading."),
            "search": ("project.memory", "Find sections by words."),
            "history": ("project.memory", "List the versions of a document."),
            "diff": ("project.memory", "Show what changed between two versions."),
            "offers": ("project.memory", "List feedback and answers that could become rules."),
            "take": ("project.memory", "Save an offer in the memory, in the document rules."),
            "leave": ("project.memory", "Dismiss an offer."),
            "mirror": ("project.memory", "Synchronise the memory with .solo-unicorn/memory in the checkouts now."),
        },
    ),
    "member": (
        "The members of a connected project.",
        {
            "list": ("hub.members", "List members, and people who asked for a role."),
            "add": ("hub.members", "Give a person a role."),
            "remove": ("hub.members", "Remove a person's role."),
            "approve": ("hub.members", "Grant a requested role."),
            "reject": ("hub.members", "Refuse a requested role."),
        },
    ),
    "organization": (
        "The organizations of a hub that you belong to.",
        {
            "list": ("hub.organizations", "List your organizations, with your role in each."),
            "create": ("hub.organizations", "Create an organization, as its owner."),
            "members": ("hub.organizations", "List the members of an organization, and its invitations."),
            "invite": ("hub.organizations", "Invite a person by e-mail; prints the link to send them."),
            "withdraw": ("hub.organizations", "Withdraw an invitation."),
            "role": ("hub.organizations", "Give a member another role."),
            "remove": ("hub.organizations", "Remove a member, or leave."),
        },
    ),
    "invitation": (
        "Invitations to organizations that wait for your answer.",
        {
            "list": ("hub.invitations", "List your invitations."),
            "accept": ("hub.invitations", "Accept an invitation."),
            "decline": ("hub.invitations", "Decline an invitation; the organization sees that."),
        },
    ),
    "projects": (
        "The public projects of a hub.",
        {
            "browse": ("hub.directory", "List public projects, most starred first."),
            "search": ("hub.directory", "Search public projects."),
            "star": ("hub.directory", "Star a project, or remove the star (--off)."),
            "request-access": ("hub.directory", "Ask the owners of a project for a role."),
            "templates": ("hub.directory", "List project templates."),
            "create-from-template": ("hub.directory", "Create a project on the hub from a template."),
        },
    ),
    "hub": (
        "The server for a team: REST, real time, sign-in; needs the extra solo-unicorn[hub].",
        {
            "": ("hub.server", "Run the hub here until it is stopped."),
            "migrate": ("hub.server", "Migrate its database to the current version."),
            "check": ("hub.server", "Check its settings and its database."),
            "user": ("hub.people", "List, add, suspend, resume or remove people, or set a password."),
            "link": ("hub.people", "Link a person to an identity at the hub's issuer."),
            "token": ("hub.people", "Make access tokens for people, list them, revoke one."),
            "keys": (
                "hub.server",
                "Change the key that seals its secrets (rotate), or start again without it (renew).",
            ),
            "backup": ("hub.server", "Copy its SQLite database and the files of missions, while it serves."),
            "verify": ("hub.server", "Check a backup, or its SQLite database."),
            "restore": ("hub.server", "Restore its SQLite database from a backup; the previous one is kept."),
            "restored": (
                "hub.server",
                "Make clients compare their data, after PostgreSQL was restored with its own tools.",
            ),
            "audit": ("hub.server", "Show who changed rights, settings and keys of the hub, when, and from where."),
        },
    ),
    "config": (
        "Settings of this machine.",
        {
            "get": ("machine.config", "Print the current value."),
            "set": ("machine.config", "Change a setting in the file, keeping its comments."),
            "list": ("machine.config", "List every setting with its value and meaning."),
            "reset": ("machine.config", "Reset a setting, a section or everything to the default."),
        },
    ),
    "mcp": (
        "Serve MCP on standard input and output, and set up MCP clients.",
        {
            "": ("machine.mcp", "Serve MCP on standard input and output; --standalone does so without the service."),
            "install": ("machine.mcp_install", "Add this server to the settings of a client: claude, codex, gemini …"),
            "uninstall": ("machine.mcp_install", "Remove this server from the settings of a client."),
            "status": ("machine.mcp_install", "Show which clients are installed and have this server."),
        },
    ),
    "guide": (
        "What agents read about Solo Unicorn in a checkout: AGENTS.md, a skill, a hook.",
        {
            "write": ("machine.guide", "Write all of them, or only those named: block, skill, hook."),
            "remove": ("machine.guide", "Remove them again; everything else stays."),
            "status": ("machine.guide", "Show which of them are installed."),
            "show": ("machine.guide", "Print the output of the hook: the board and the index of the memory."),
        },
    ),
    "metrics": (
        "Metrics of the work, by week and by agent.",
        {"": ("project.metrics", "Show throughput, cycle and review times and cost; --agents compares the agents.")},
    ),
    "usage": (
        "What sessions used: tokens, time, turns, cost.",
        {"": ("project.usage", "Show what sessions used, by day, agent, mission or session.")},
    ),
    "inbox": (
        "Permission requests and questions of agents.",
        {
            "list": ("inbox", "List what agents wait for: permissions, and answers to questions."),
            "answer": ("inbox", "Allow or deny a request, or answer the question of a mission; its agent goes on."),
            "rules": ("inbox", "List the permission rules of a project."),
            "rule": ("inbox", "Create a permission rule: allow, ask or deny a tool, with a pattern."),
            "forget": ("inbox", "Delete a permission rule."),
        },
    ),
    "auth": (
        "Signing in at a hub.",
        {
            "login": ("hub.auth", "Sign in with a browser, or with a key."),
            "logout": ("hub.auth", "Sign out at the hub, and delete the tokens."),
            "whoami": ("hub.auth", "Show who is signed in where, how, and until when."),
            "token": ("hub.tokens", "Create, list and revoke your own access tokens."),
        },
    ),
    "sync": ("Synchronise connected projects with their hub now; show the status.", {"": ("hub.sync", "")}),
    "conflicts": (
        "Conflicting changes by two people.",
        {
            "list": ("hub.conflicts", "List undecided conflicts."),
            "show": ("hub.conflicts", "Show a conflict: the original text, mine and theirs."),
            "resolve": ("hub.conflicts", "Keep mine, keep theirs, or merge both texts."),
        },
    ),
    "web": ("Show the board in a browser of this machine; needs solo-unicorn[web].", {"": ("machine.web", "")}),
    "workspace": (
        "Back up, verify and restore everything on this machine's board.",
        {
            "backup": ("machine.workspace", "Copy the workspace and attached files while in use, and verify the copy."),
            "restore": ("machine.workspace", "Restore the workspace from a backup; the previous one is kept."),
            "verify": ("machine.workspace", "Verify a backup, or the workspace itself."),
            "identity": (
                "machine.workspace",
                "Show the identity of the workspace; --new makes a copied home a separate one.",
            ),
        },
    ),
    "doctor": ("Check this installation, and say what to fix.", {"": ("machine.doctor", "")}),
    "demo": (
        "Run whole missions in a temporary repository, with the rehearsal agent.",
        {"": ("machine.demonstration", "")},
    ),
    "export": ("Write a project with its history into one JSON file.", {"": ("project.transfer", "")}),
    "import": ("Import an exported project.", {"": ("project.transfer", "")}),
    "completion": (
        "Print the completion script of a shell: bash, zsh or fish.",
        {"": ("machine.completion", ""), "suggest": ("machine.completion", "Print completions for a command line.")},
    ),
    "man": ("Print the manual page; `man -l -` shows it.", {"": ("machine.manual", "")}),
}

FOR_AGENTS: Final = frozenset(
    {
        *(
            "mission list",
            "mission show",
            "mission history",
            "mission log",
            "mission diff",
            "mission tour",
            "mission files",
        ),
        *("mission pr", "mission queue", "mission waiting", "mission search"),
        *("project list", "project show", "filter list", "keys list", "repo list", "agent list", "actor list"),
        *("memory list", "memory read", "memory search", "memory history", "memory diff", "memory offers"),
        *("worktree list", "workstation status", "inbox list", "inbox rules", "conflicts list", "conflicts show"),
        *("metrics ", "usage ", "completion ", "completion suggest", "man ", "mcp "),
        *("guide status", "guide show"),
    }
)
"""What an agent may run in its session: it reads, and speaks MCP with the rights of its run. All else is a person's."""

USAGE: Final = """\
usage: solo-unicorn [--project PROJECT | --version | --help | COMMAND …]

A terminal kanban that runs your code agents in git worktrees. Without a command it opens the board.
"""


def overview() -> str:
    """`solo-unicorn --help`."""
    lines = [USAGE, "commands:"]
    for noun, (sentence, verbs) in COMMANDS.items():
        lines.append(f"  {noun:<12} {sentence}")
        if named := [verb for verb in verbs if verb]:
            lines += [f"{'':<15}{line}" for line in _wrapped(" | ".join(named), 78)]
    lines += [
        "",
        "`solo-unicorn COMMAND --help` shows more. Commands that print data take --json and -q; NO_COLOR is respected.",
        "exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 signed out, 6 offline, 75 try again",
    ]
    return "\n".join(lines)


def noun_help(noun: str) -> str:
    """`solo-unicorn NOUN --help`."""
    sentence, verbs = COMMANDS[noun]
    alone, width = "" in verbs, max(map(len, verbs))
    lines = [f"usage: solo-unicorn {noun} {'[VERB …]' if alone else 'VERB …'}", "", sentence]
    if alone:
        lines += ["", f"without a verb: {verbs[''][1]}"]
    lines += ["", "verbs:", *(f"  {verb:<{width}}  {about}" for verb, (_, about) in verbs.items() if verb)]
    return "\n".join([*lines, "", f"`solo-unicorn {noun} VERB --help` shows its options."])


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines
