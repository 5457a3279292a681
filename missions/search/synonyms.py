"""Words that people who write programs use for one another: a question with one of them finds the others too.

Words joined by _ are a phrase: it is found, and finds nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .words import stemmed

_GROUPS = """
a11y accessibility
abort cancel stop kill terminate
access permission right role privilege
account user customer
add create insert new
alert alarm notification notify warn
api endpoint route interface
archive compress zip
asynchronous async concurrent parallel thread
auth authentication authorization authorisation login signin sign_in
backend server service
backup restore snapshot
benchmark measure profile
binary executable image
branch branches
browser chrome firefox
bug defect issue fault
build compile make toolchain
button click tap press
cache caching
certificate cert tls ssl https
chart graph plot diagram
ci pipeline continuous_integration
cli command terminal shell console
code source
color colour
component widget control
config configuration setting settings option preference
connect join pair attach link
container docker image
convention rule guideline standard
crash panic abort
customer client user
daemon service background
date time timestamp clock timezone utc
db database
debug troubleshoot diagnose
delete remove drop erase purge clear
dep dependency package library
deploy deployment release rollout ship publish
deprecate obsolete outdated
dev development developer
device hardware board machine
directory folder path
disable deactivate off
doc documentation manual guide
duplicate copy twice
edit change modify update
email mail
enable activate on
encrypt encryption cipher crypto
env environment
error exception failure fail err
event message signal
expire expiry expiration stale
fast speed quick performance perf slow latency
feature capability function
file document
fix repair mend solve
flaky unstable intermittent
float floating decimal
fmt format formatter
form input field
gdpr privacy personal_data
host machine server
http https web
i18n translation localization localisation language locale
import load ingest
increase raise grow
install setup set_up
js javascript
k8s kubernetes
key secret token credential password
kpi metric
large big huge
lint linter style
list table grid
local laptop offline
lock mutex
log logging
menu navigation
message msg
missing lost absent gone
mobile phone android iphone ios
mock stub fake double
money price currency amount cent
monitor observe watch telemetry
name naming
network connection internet
null none nil empty
number numbering version
offline no_connection disconnected
onboarding start newcomer
os operating_system
ota over_the_air firmware
owner responsible maintainer
page screen view
param parameter argument
pdf document
pg postgres postgresql
picture image photo screenshot
poll polling
pr pull_request merge
prod production live
pub publish
py python
queue job worker background
quota limit throttle
ram memory
random seed
read fetch load get
reboot restart reset boot
refactor cleanup clean_up
rename move
repeat repetition again
replace exchange substitute swap
repo repository
request call query
resolve solve
retain retention keep store storage
retry retries backoff again
review approve approval
rollback revert undo roll_back previous former
root admin administrator sudo
run start launch execute
scheme schema format
schema migration
screen display monitor
search find lookup
send transmit post
server host
shrink reduce smaller compress
sidebar panel
size length width
socket port
sort order
sql database query
stage phase step
stock inventory
sum total
support help
sync synchronise synchronize synchronization
tag label
test check verify
theme appearance
timeout deadline
timer schedule cron
todo task
trace stacktrace traceback
tree worktree
ts typescript
ui interface screen gui
update upgrade
upload attachment
url link address
usb cable
vendor supplier provider
version semver revision
wait sleep delay
warn warning
wifi wi_fi wireless wlan
windows microsoft
wrong incorrect invalid bad
"""


@cache
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """By a word's stem, the stems of those that mean nearly the same; of a phrase, with spaces."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _GROUPS.split("\n"):
        group = tuple(dict.fromkeys(" ".join(map(stemmed, one.split("_"))) for one in line.split()))
        for word in group:
            found[word] = found.get(word, ()) + tuple(other for other in group if other != word)
    return found
