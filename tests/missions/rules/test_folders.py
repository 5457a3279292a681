"""The folder of a repository that a project is about."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.folders import checked_folder


@pytest.mark.parametrize(
    ("given", "kept"),
    [("packages/app", "packages/app"), (" ./packages//app/ ", "packages/app"), (".", ""), ("", ""), ("a b/ü", "a b/ü")],
)
def test_a_folder_is_kept_in_its_plain_form(given: str, kept: str) -> None:
    assert checked_folder(given) == kept


@pytest.mark.parametrize("given", ["..", "a/../../b", "/etc", "~/x", ".git", "a/.GIT/b", "a\nb", "x" * 401])
def test_a_folder_outside_is_refused(given: str) -> None:
    with pytest.raises(InvalidValue, match="not a folder of a repository"):
        checked_folder(given)
