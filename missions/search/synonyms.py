"""Words that people who write programs use for one another: a question with one of them finds the others too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .words import stemmed

_GROUPS = """
a11y accessibility
api endpoint route
auth authentication authorization authorisation login signin
backup restore
branch branches
bug defect issue
build compile
cache caching
ci pipeline
color colour
config configuration setting settings
crash panic abort
date time timestamp timezone utc
db database
delete remove drop erase
dep dependency package library
deploy deployment release rollout ship
dev development
doc documentation
email mail
env environment
error exception failure fail err
fast speed quick performance perf slow
flaky unstable intermittent
fmt format formatter
i18n translation localization localisation language
install setup
js javascript
k8s kubernetes
lint linter style
log logging
message msg
money price currency amount cent
name naming
param parameter argument
password secret credential
pg postgres postgresql
prod production
py python
queue job worker background
rename move
repo repository
retry retries backoff
review approve approval
rule convention guideline
run start launch execute
schema migration
ts typescript
ui interface screen
undo revert rollback
url link address
version semver
"""


@cache
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """By a word's stem, the stems of those that mean nearly the same."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _GROUPS.split("\n"):
        group = tuple(dict.fromkeys(map(stemmed, line.split())))
        for word in group:
            found[word] = found.get(word, ()) + tuple(other for other in group if other != word)
    return found
