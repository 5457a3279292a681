"""Prompt templates: the repository's own, else the person's, else the built-in one of that stage."""

from __future__ import annotations

from pathlib import Path

from ..missions.errors import InvalidValue, SoloUnicornError
from .paths import home

BUILT_IN = Path(__file__).parent.parent / "missions" / "templates"
FALLBACK = "default"
IN_REPOSITORY = Path(".solo-unicorn") / "prompts"


def template(stage: str, repository: Path | None = None) -> str:
    """The Markdown template for a stage; a stage nobody wrote one for gets the default template.

    Looked up as `.solo-unicorn/prompts/<stage>.md` in the repository, `prompts/<stage>.md` in the home, then among
    the built-in ones; then the same for `default`. A name that is not a file name (`../x`) is refused.
    """
    if "/" in stage or "\\" in stage or stage.startswith(".") or "\0" in stage:
        raise InvalidValue("stage", f"The stage {stage!r} has no template", why="its name is not a file name")
    folders = [home() / "prompts", BUILT_IN]
    if repository is not None:
        folders.insert(0, repository / IN_REPOSITORY)
    for name in (stage, FALLBACK):
        for folder in folders:
            path = folder / f"{name}.md"
            if path.is_file():
                return _text(path)
    raise SoloUnicornError(
        "The built-in prompt templates are missing", why=f"{BUILT_IN} has none", todo="install solo-unicorn again"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SoloUnicornError(
            f"The prompt template {path} cannot be read", why=str(error), todo="save it as UTF-8, readable for you"
        ) from error
