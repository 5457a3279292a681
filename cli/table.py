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
            "create": ("mission_writing", "Put a mission on the board."),
            "list": ("mission_reading", "List missions in board order."),
            "show": ("mission_reading", "Show all of one mission, and why it is not running."),
            "edit": ("mission_writing", "Change a mission; without options, in your editor."),
            "move": ("mission_writing", "Move a mission to a list, or within one."),
            "ready": ("mission_writing", "Say that missions may be given to an agent (or not yet: --off)."),
            "approve": ("mission_review", "Approve the stage that waits for your review."),
            "reject": ("mission_review", "Send a stage back, with feedback."),
            "answer": ("mission_review", "Answer the question an agent asked."),
            "say": ("mission_review", "Say something to the agent that works on a mission."),
            "stop": ("mission_review", "Stop the session of a mission; its work is kept."),
            "history": ("mission_reading", "Show everything that happened to a mission."),
            "log": ("mission_log", "Show what its agent did, from the transcript."),
            "diff": ("mission_diff", "Show what a mission changed in its worktree, with the comments on its lines."),
            "mark": (
                "mission_mark",
                "Mark files of the diff as reviewed; a change of their content takes the mark back.",
            ),
            "comment": ("mission_comment", "Comment on lines of the diff; rejecting hands the comments to the agent."),
            "open": ("mission_open", "Open a shell, your editor or the run script in its worktree; or the PR."),
            "attach": ("mission_files", "Attach files to a mission; copies are kept."),
            "files": ("mission_files", "List the files of a mission."),
            "fetch": ("mission_files", "Bring the files of a mission here that are only on the hub."),
            "detach": ("mission_files", "Take a file off a mission."),
            "pr": ("mission_pr", "Show its pull request with checks, review and comments; --merge merges it."),
            "link": ("mission_writing", "Let a mission block another, or relate to it."),
            "unlink": ("mission_writing", "Take such a link away."),
            "queue": ("mission_reading", "List ready missions in the order they will start, and what holds each back."),
            "waiting": ("mission_reading", "List what waits for you: reviews, questions, failures."),
            "search": ("mission_reading", "Find missions by words of their title or description."),
            "delete": ("mission_writing", "Take missions off the board; undo and restore bring them back."),
            "restore": ("mission_writing", "Bring a deleted mission back."),
            "undo": ("mission_writing", "Take back your last step in a project."),
            "redo": ("mission_writing", "Do again what was undone last."),
        },
    ),
    "project": (
        "Boards, with their repositories, flows and memory.",
        {
            "create": ("project", "Make a project."),
            "list": ("project", "List projects."),
            "show": ("project", "Show a project with its repositories and flows."),
            "edit": ("project", "Change settings of a project."),
            "pause": ("project", "Start nothing new in a project; running sessions go on."),
            "resume": ("project", "Start missions of a project again."),
            "delete": ("project", "Remove a project with its missions, history and memory for good."),
            "connect": ("connecting", "Mirror a project of a hub here; without a name, list what there is."),
            "publish": ("connecting", "Make a local project a connected one; its ids stay."),
            "disconnect": ("connecting", "Make a mirrored project a local one that keeps everything."),
        },
    ),
    "filter": (
        "Queries that a project keeps by name, for the board and `mission list --query`.",
        {
            "list": ("filter", "List the saved filters of a project."),
            "save": ("filter", "Keep a query under a name; @name in a query stands for it."),
            "delete": ("filter", "Forget a saved filter."),
        },
    ),
    "keys": (
        "The keys of the screens, which config.toml can change.",
        {"list": ("keys", "List every command on screen with its keys, and what clashes.")},
    ),
    "repo": (
        "The git repositories that missions work in.",
        {
            "add": ("repo", "Link a checkout, or clone a URL and link it."),
            "list": ("repo", "List linked repositories."),
            "relocate": ("repo", "Tell where the checkout of a linked repository was moved to."),
            "remove": ("repo", "Unlink a repository; its files stay."),
        },
    ),
    "agent": (
        "The code agents of this machine.",
        {
            "scan": ("agent", "Look for installed agents and check each."),
            "list": ("agent", "List agents as the last scan found them."),
            "add": ("agent", "Add an agent, for instance a second one of a type."),
        },
    ),
    "actor": (
        "The personas of a project; their words are in the prompts of the missions that choose them.",
        {
            "list": ("actor", "List the actors of a project."),
            "add": ("actor", "Make an actor."),
            "edit": ("actor", "Change its words or its name, or make it the default."),
            "remove": ("actor", "Remove an actor that no open mission speaks through."),
        },
    ),
    "worktree": (
        "The directories that missions work in.",
        {
            "list": ("worktree", "List the worktrees of the pool."),
            "clean": ("worktree", "Remove vacant ones that were not used for some days; never one with work in it."),
        },
    ),
    "workstation": (
        "The background service of this machine.",
        {
            "start": ("workstation", "Run the service here, or in the background, until it is stopped."),
            "stop": ("workstation", "Stop the service; sessions go on, and are taken up again at its next start."),
            "status": ("workstation", "Show the service, its sessions and agents."),
            "restart": ("workstation", "Stop the service and start it again; sessions go on."),
            "pause": ("workstation", "Start nothing new on this machine; running sessions go on."),
            "resume": ("workstation", "Start missions on this machine again."),
            "install": ("workstation", "Let the system start the service at login (systemd or launchd)."),
            "uninstall": ("workstation", "Stop the service and let the system forget it; sessions go on."),
            "register": ("workstation", "Make this machine known to a hub."),
            "run": ("workstation", "Run the service here until it is idle (what the board starts)."),
        },
    ),
    "memory": (
        "The project memory: Markdown that people and agents share.",
        {
            "list": ("memory", "List the documents of a project."),
            "read": ("memory", "Print a document."),
            "append": ("memory", "Add text at the end of a document, or below a heading."),
            "replace": ("memory", "Replace a document."),
            "search": ("memory", "Find documents by words."),
            "history": ("memory", "List the versions of a document."),
            "diff": ("memory", "Show what changed between two versions."),
            "mirror": ("memory", "Bring .solo-unicorn/memory of the checkouts and the memory together now."),
        },
    ),
    "member": (
        "The people of a connected project.",
        {
            "list": ("member", "List who has a role, and who asks for one."),
            "add": ("member", "Give a person a role."),
            "remove": ("member", "Take a person's role away."),
            "approve": ("member", "Give the role that was asked for."),
            "reject": ("member", "Refuse the role that was asked for."),
        },
    ),
    "projects": (
        "The public projects of a hub.",
        {
            "browse": ("projects", "List public projects, the most starred first."),
            "search": ("projects", "Find public projects by words."),
            "star": ("projects", "Star a project (or take it back: --off)."),
            "request-access": ("projects", "Ask the owners of a project for a role."),
            "templates": ("projects", "List the templates that projects can be made from."),
            "create-from-template": ("projects", "Make a project on the hub from a template."),
        },
    ),
    "hub": (
        "The server of a team: REST, real time, sign-in; needs the extra solo-unicorn[hub].",
        {
            "": ("hub", "Run the hub here until it is stopped."),
            "migrate": ("hub", "Bring its database up to date."),
            "check": ("hub", "Check its settings and its database."),
            "user": ("hub_people", "List people, add one, set a password; suspend, resume or remove one."),
            "link": ("hub_people", "Let a person sign in with what the hub's issuer calls them."),
            "token": ("hub_people", "Make access tokens for people, list them, revoke one."),
            "keys": ("hub", "Change the key that seals its secrets (rotate), or begin anew without it (renew)."),
            "backup": ("hub", "Copy its SQLite database into a file, while it serves."),
            "verify": ("hub", "Check a backup, or its SQLite database."),
            "restore": ("hub", "Put a backup in the place of its SQLite database; the former one is kept."),
            "restored": ("hub", "Let clients compare, after PostgreSQL was restored by its own commands."),
            "audit": ("hub", "Show who changed rights, settings and keys of the hub, when, and from where."),
        },
    ),
    "config": (
        "Settings of this machine.",
        {
            "get": ("config", "Print the value in force."),
            "set": ("config", "Change a setting in the file; comments stay."),
            "list": ("config", "List every setting with its value and what it means."),
            "reset": ("config", "Go back to the default of a setting, a section, or everything."),
        },
    ),
    "mcp": (
        "Speak MCP on standard input and output, for any MCP client; set clients up for it.",
        {
            "": ("mcp", "Speak MCP on standard input and output; --standalone does so without the service."),
            "install": ("mcp_install", "Enter this server in the settings of a client: claude, codex, gemini …"),
            "uninstall": ("mcp_install", "Take it out of them again."),
            "status": ("mcp_install", "Show which clients are here and know this server."),
        },
    ),
    "metrics": (
        "How the work goes: by week, and agent by agent.",
        {"": ("metrics", "Show throughput, cycle and review times and cost; --agents compares the agents.")},
    ),
    "usage": (
        "What sessions used: tokens, time, turns, cost.",
        {"": ("usage", "Show what sessions used, by day, agent, mission or session.")},
    ),
    "inbox": (
        "What agents ask permission for.",
        {
            "list": ("inbox", "List what agents wait for: permissions, and answers to questions."),
            "answer": ("inbox", "Allow or deny a request, or answer the question of a mission; its agent goes on."),
            "rules": ("inbox", "List what agents of a project may, must not, or must ask to do."),
            "rule": ("inbox", "Make such a rule: allow, ask or deny a tool, with a pattern of what it is used on."),
            "forget": ("inbox", "Take such a rule back."),
        },
    ),
    "auth": (
        "Signing in at a hub.",
        {
            "login": ("auth", "Sign in with a browser, or with a key."),
            "logout": ("auth", "Sign out: the hub is told, then the tokens are forgotten."),
            "whoami": ("auth", "Show who is signed in where, how and until when, as the hubs say now."),
            "token": ("auth_tokens", "Make, list and revoke your own access tokens."),
        },
    ),
    "sync": ("Bring connected projects and their hub together now; show how they stand.", {"": ("sync", "")}),
    "conflicts": (
        "Where two people changed the same thing.",
        {
            "list": ("conflicts", "List what waits for a decision."),
            "show": ("conflicts", "Show one with what was there, mine and theirs."),
            "resolve": ("conflicts", "Keep mine, keep theirs, or merge both texts."),
        },
    ),
    "web": ("Show the board in a browser of this machine; needs the extra solo-unicorn[web].", {"": ("web", "")}),
    "workspace": (
        "Back up all that is on this machine's board, check it, and put it back.",
        {
            "backup": ("workspace", "Copy workspace and attached files while they are in use, and check the copy."),
            "restore": ("workspace", "Put a backup in the workspace's place; what was there is kept beside it."),
            "verify": ("workspace", "Check a backup, or the workspace itself."),
        },
    ),
    "doctor": ("Check this installation and say what to mend.", {"": ("doctor", "")}),
    "demo": ("Play the whole job in a throw-away repository with the rehearsal agent.", {"": ("demonstration", "")}),
    "export": ("Write a project with its history into one JSON file.", {"": ("transfer", "")}),
    "import": ("Bring an exported project in.", {"": ("transfer", "")}),
    "completion": ("Print the completion script of a shell: bash, zsh or fish.", {"": ("completion", "")}),
}

FOR_AGENTS: Final = frozenset(
    {
        *("mission list", "mission show", "mission history", "mission log", "mission diff", "mission files"),
        *("mission pr", "mission queue", "mission waiting", "mission search"),
        *("project list", "project show", "filter list", "keys list", "repo list", "agent list", "actor list"),
        *("memory list", "memory read", "memory search", "memory history", "memory diff"),
        *("worktree list", "workstation status", "inbox list", "inbox rules", "conflicts list", "conflicts show"),
        *("metrics ", "usage ", "completion ", "mcp "),
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
        "`solo-unicorn COMMAND --help` tells more. Whatever prints data takes --json and -q; NO_COLOR is heeded.",
        "exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 signed out, 6 offline, 75 try again",
    ]
    return "\n".join(lines)


def noun_help(noun: str) -> str:
    """`solo-unicorn NOUN --help`."""
    sentence, verbs = COMMANDS[noun]
    alone = "" in verbs
    lines = [f"usage: solo-unicorn {noun} {'[VERB …]' if alone else 'VERB …'}", "", sentence]
    if alone:
        lines += ["", f"without a verb: {verbs[''][1]}"]
    lines += ["", "verbs:", *(f"  {verb:<9} {about}" for verb, (_, about) in verbs.items() if verb)]
    return "\n".join([*lines, "", f"`solo-unicorn {noun} VERB --help` shows the options of one."])


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines
