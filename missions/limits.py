"""How long texts and lists may be: each limit once, for every way in.

Lengths are characters unless the name says otherwise.
"""

from __future__ import annotations

from typing import Final

TITLE_MAX: Final = 500
"""A mission's title, and a task's."""
TEXT_MAX: Final = 1_000_000
"""The longest description, specification or solution."""
SUMMARY_MAX: Final = 100_000
"""What an agent says when it finishes a stage or asks a person."""
NOTE_MAX: Final = 20_000
TASKS_MAX: Final = 500
LINKS_MAX: Final = 200
"""Missions that block one mission, and missions it relates to."""
NAME_MAX: Final = 200
"""The name of a project, flow, actor or repository."""
PERSONA_MAX: Final = 50_000
"""An actor's methodology, and its focus."""
DOCUMENT_MAX: Final = 1_000_000
"""A document of the project memory."""
DOCUMENT_VERSIONS: Final = 200
"""Versions of one document that are kept, the newest ones; all but the newest as differences."""
COMMENT_MAX: Final = 10_000
"""The text of a line comment."""
ANSWERS_MAX: Final = 50
"""Answers to one line comment."""
STOPS_MAX: Final = 100
"""Stops of a tour through a mission's change."""
COMMENTS_MAX: Final = 500
"""Line comments of one mission."""
RETRY_FIRST_SECONDS: Final = 10.0
"""The pause before a failed session is tried again, where no setting says otherwise; it doubles up to the longest."""
RETRY_LONGEST_SECONDS: Final = 300.0
RETRY_ATTEMPTS: Final = 3
STARTS_AN_HOUR: Final = 6
"""How often a mission is started within an hour at one stage, or in one run of a loop, without a person's word."""
TOOL_TEXT_MAX: Final = 100_000
"""What an agent may hand to one tool, and, below, keep as a document or a plan: less than a person may."""
TOOL_DOCUMENT_MAX: Final = 500_000
TOOL_TASKS_MAX: Final = 100
