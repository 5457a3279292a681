"""Drawing lines of (text, role) parts as strips: what every drawn widget of ours shares.

A role is a component class `role--<name>` of the application, so that themes and style sheets decide how it looks.
(Not of each widget: Textual works out every component class of every widget before the first paint.)
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.color import TRANSPARENT
from textual.strip import Strip
from textual.widget import Widget

from .drawing import Part, Row, fit

ROLES = (
    *("title", "faint", "number", "run", "wait", "bad", "good", "brand", "key", "rule", "frame", "chosen", "hover"),
    *("drop", "p1", "p2", "p3", "p4", "p5", "added", "removed", "strong", "link", "active"),
    *("added-line", "removed-line", "added-word", "removed-word", "hunk", "found"),
    *("code-comment", "code-keyword", "code-string", "code-number", "code-name"),
)
COMPONENTS = {f"role--{role}" for role in ROLES}
"""Component classes of an application with drawn widgets."""


class Drawn(Widget):
    """A widget that draws its own lines."""

    _styles_for: tuple[object, ...] | None = None
    _role_styles: dict[tuple[str, str], Style]

    @property
    def plain(self) -> bool:
        """Whether the terminal takes ASCII only."""
        return self.app.has_class("-plain")

    def style_of(self, role: str, under: str = "") -> Style:
        """The style of a role; `under` names the roles that lie under it, such as chosen.

        A role may bring what lies under it too, as in `code-string@added-word`; `link URL` is a hyperlink.
        """
        style = self._styles().get((role, under))
        return self._work_out(role, under) if style is None else style

    def _styles(self) -> dict[tuple[str, str], Style]:
        """The styles known for the widget, the theme and the number of colours as they are now."""
        app = self.app
        now = self.visual_style, app.theme, app.has_class("-256"), app.has_class("-16")
        if self._styles_for != now:
            self._styles_for, self._role_styles = now, {}
        return self._role_styles

    def _work_out(self, role: str, under: str) -> Style:
        base = self.visual_style
        style, ground, front = base.rich_style, base.background or TRANSPARENT, base.foreground or TRANSPARENT
        name, _, link = role.partition(" ")
        name, _, own = name.partition("@")
        below = sorted((*under.split(), *own.split()), key=lambda each: each == "chosen")  # which tints all of them
        for part in filter(None, (*below, name)):
            component = self.app.get_component_styles(f"role--{part}")
            if component.has_rule("background"):
                ground += component.background
            if component.has_rule("color"):
                front = component.color
            style += component.text_style
        style += Style.from_color((ground + front).rich_color, ground.rich_color)
        if link:
            style += Style(link=link)
        self._role_styles[role, under] = style
        return style

    def draw(
        self, parts: Iterable[Part], width: int, *, under: str = "", ellipsis: str = "…", pad: bool = True
    ) -> Strip:
        """One line, cut to `width` cells with an ellipsis, or padded to it."""
        return self.strip(fit(parts, width, under=under, ellipsis=ellipsis, plain=self.plain, pad=pad))

    def strip(self, row: Row) -> Strip:
        """A row in the colours of this widget; neighbours that look the same are one, so the terminal is told once."""
        segments: list[Segment] = []
        known = self._styles()
        for text, role, under in row:
            style = known.get((role, under))
            if style is None:
                style = self._work_out(role, under)
            if segments and segments[-1].style == style:
                segments[-1] = Segment(segments[-1].text + text, style)
            else:
                segments.append(Segment(text, style))
        return Strip(segments)
