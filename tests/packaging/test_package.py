"""What is in the package, what it depends on, and that everything written about that is true."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
TRACKED = list(filter(None, LISTED.split("\0")))


REASONS = (ROOT / "docs" / "dependencies.md").read_text()


def name_of(requirement: str) -> str:
    return re.split(r"[\s\[<>=~!;]", requirement, maxsplit=1)[0].lower()


RUNTIME = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}
EXTRA = [requirement for extra in PROJECT["project"]["optional-dependencies"].values() for requirement in extra]
EXTRAS = {name_of(requirement) for requirement in EXTRA}
DEVELOPMENT = {
    name_of(requirement)
    for group in PROJECT["dependency-groups"].values()
    for requirement in group
    if isinstance(requirement, str)
}


def locked(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s\\;]+)", (ROOT / "requirements" / file).read_text(), re.MULTILINE))


def packages() -> set[str]:
    """Every folder of ours with an `__init__.py`, as the package it is."""
    found = {"solo_unicorn"}
    for top in ROOT.iterdir():
        if top.is_dir() and not top.name.startswith(".") and top.name not in ("build", "tests", "bench", "docs"):
            for init in top.rglob("__init__.py"):
                found.add(".".join(("solo_unicorn", *init.parent.relative_to(ROOT).parts)))
    return found


def test_every_package_is_in_the_wheel() -> None:
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert set(listed) == packages()
    assert len(listed) == len(set(listed))


def test_every_module_stands_in_a_package() -> None:
    folders = {name.removeprefix("solo_unicorn").lstrip(".").replace(".", "/") or "." for name in packages()}
    for file in TRACKED:
        path = Path(file)
        if path.suffix == ".py" and path.parts[0] not in ("tests", "bench", "docs", ".ci"):
            assert path.parent.as_posix() in folders, file


def test_the_root_holds_no_other_module() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_every_folder_of_the_house_is_a_layer() -> None:
    (house,) = [one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["name"].startswith("The house")]
    named = set(re.findall(r"solo_unicorn\.\w+", " ".join(house["layers"])))
    assert {name for name in packages() if name.count(".") == 1} <= named


def test_every_data_file_in_a_package_is_packed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    folders = {name.replace(".", "/").removeprefix("solo_unicorn").lstrip("/"): name for name in packages()}
    for file in TRACKED:
        path = Path(file)
        if (
            path.suffix in (".py", "")
            or path.parts[0] in ("tests", "docs", "bench", "requirements", ".github")
            or len(path.parts) < 2
        ):
            continue
        owner = next(str(parent) for parent in path.parents if str(parent) in folders)
        inside = path.relative_to(owner)
        wanted = patterns.get(folders[owner], []) + patterns["*"]
        assert any(inside.match(pattern) and len(inside.parts) == len(Path(pattern).parts) for pattern in wanted), file


@pytest.mark.parametrize("name", sorted(RUNTIME | EXTRAS | DEVELOPMENT))
def test_every_dependency_has_its_reason(name: str) -> None:
    reasons = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", REASONS, re.MULTILINE))
    assert len(reasons[name].split()) >= 5


def test_no_reason_is_left_of_a_dependency_that_is_gone() -> None:
    named = set(re.findall(r"^\| ([a-z][a-z0-9-]*) \|", REASONS, re.MULTILINE))
    assert named - {"library"} == RUNTIME | EXTRAS | DEVELOPMENT


@pytest.mark.parametrize("requirement", PROJECT["project"]["dependencies"] + EXTRA)
def test_every_dependency_is_bounded_and_its_locked_version_is_within(requirement: str) -> None:
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    assert any(one.operator in ("<", "==", "~=") for one in parsed.specifier), "no upper bound"
    assert any(one.operator in (">=", "==", "~=") for one in parsed.specifier), "no lower bound"
    file = "hub.txt" if requirement in EXTRA else "main.txt"
    assert parsed.specifier.contains(locked(file)[name_of(requirement)])
    assert parsed.specifier.contains(locked("dev.txt")[name_of(requirement)])


def test_the_locks_agree_and_name_everything() -> None:
    main, hub, dev, build = (locked(f"{name}.txt") for name in ("main", "hub", "dev", "build"))
    assert main.items() <= hub.items() <= dev.items() and build.items() <= dev.items()
    assert main.keys() >= RUNTIME and hub.keys() >= EXTRAS and dev.keys() >= DEVELOPMENT


@pytest.mark.parametrize("file", ["main.txt", "hub.txt", "dev.txt", "build.txt"])
def test_every_locked_package_has_hashes_and_no_index_address(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text()
    assert text.count("==") and len(re.findall(r"^[a-z0-9._-]+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(
        locked(file)
    )
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text


def test_no_committed_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    index = re.compile(r"(extra-)?index-url\s*=\s*\S|https?://[^\s\"')]*/simple\b|https?://[^/\s]+@")
    for file in TRACKED:
        if file.endswith((".py", ".toml", ".txt", ".cfg", ".md", "Makefile", "run")) and not file.startswith("tests/"):
            text = (ROOT / file).read_text(encoding="utf-8", errors="replace") if (ROOT / file).exists() else ""
            assert not index.search(text), file


def test_the_version_is_said_once() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert 'version = { attr = "solo_unicorn.__version__" }' in (ROOT / "pyproject.toml").read_text()


def test_the_licence_is_there() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 Solo Unicorn contributors")
