"""A check box whose state shows without colour: a mark between brackets when it is on, nothing when it is off."""

from __future__ import annotations

from textual import getters
from textual.content import Content
from textual.widgets import Checkbox

from .application import Application


class Check(Checkbox):
    """Textual's check box draws its cross in both states and tells them apart by colour alone."""

    app = getters.app(Application)

    @property
    def _button(self) -> Content:
        marks = self.app.marks
        return Content.styled(marks.checked if self.value else marks.unchecked, self.get_visual_style("toggle--button"))
