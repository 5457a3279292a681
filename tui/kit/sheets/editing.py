"""Asking a person for the new value of a field, each kind in its own way."""

from __future__ import annotations

from textual.screen import Screen

from ..fields import Field, next_choice

UNCHANGED = object()
"""The person went away."""


async def new_value(screen: Screen[object], field: Field, value: object, *, of: str) -> object:
    """The value that the person wants, or UNCHANGED; `of` says whose field it is."""
    match field.kind:
        case "flag":
            return not value
        case "choice":
            return next_choice(field, value)
        case "long":
            from .write import WriteScreen

            sheet = WriteScreen(
                field.label.capitalize(),
                draft=f"{field.name} {of}",
                why=field.about,
                text=str(value or ""),
                button="Keep",
                blank=True,
            )
            text = await screen.app.push_screen_wait(sheet)
            return UNCHANGED if text is None else text or ("" if isinstance(value, str) else None)
        case "fixed":
            return UNCHANGED
    from .line import LineScreen

    before = ", ".join(map(str, value)) if isinstance(value, tuple | list) else "" if value is None else str(value)
    line = await screen.app.push_screen_wait(
        LineScreen(field.label.capitalize(), text=before, about=field.about, number=field.kind == "number")
    )
    if line is None or line == before:
        return UNCHANGED
    if field.kind == "number":
        return int(line or 0)
    if field.kind == "words":
        return tuple(word.strip() for word in line.split(",") if word.strip())
    return line or None
