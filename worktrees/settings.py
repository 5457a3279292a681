"""Settings of git that a person may have for their own shell and that would change what our commands do or print.

Each is given by `-c`, which is above every file. What is the person's law stays theirs: hooks, signing, line ends,
filters, credential helpers, addresses.
"""

from __future__ import annotations

OVERRIDDEN: dict[str, str] = {
    # what our commands print
    "advice.detachedHead": "false",
    "color.ui": "false",
    "column.ui": "never",
    "core.quotePath": "true",
    "diff.context": "3",
    "diff.ignoreSubmodules": "none",
    "diff.interHunkContext": "0",
    "diff.mnemonicPrefix": "false",
    "diff.noprefix": "false",
    "diff.orderFile": "/dev/null",
    "diff.relative": "false",
    "diff.submodule": "short",
    "i18n.logOutputEncoding": "utf-8",
    "log.decorate": "false",
    "log.follow": "false",
    "log.showSignature": "false",
    "status.relativePaths": "false",
    "status.showUntrackedFiles": "all",
    # what our commits, merges and rebases become
    "commit.cleanup": "whitespace",
    "commit.verbose": "false",
    "i18n.commitEncoding": "utf-8",
    "merge.autoStash": "false",
    "merge.ff": "true",
    "merge.log": "false",
    "merge.stat": "false",
    "rebase.autoSquash": "false",
    "rebase.autoStash": "false",
    "rebase.backend": "merge",
    "rebase.rebaseMerges": "false",
    "rebase.stat": "false",
    "rebase.updateRefs": "false",
    "rerere.enabled": "false",
    "branch.autoSetupMerge": "false",
    # what a push or a fetch takes along
    "fetch.prune": "false",
    "fetch.pruneTags": "false",
    "fetch.recurseSubmodules": "false",
    "push.followTags": "false",
    "push.recurseSubmodules": "no",
    "submodule.recurse": "false",
    # what is written down of it
    "core.logAllRefUpdates": "true",
    # what runs beside a command
    "core.askPass": "",
    "core.fsmonitor": "false",
    "core.safecrlf": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
