"""A check box whose state shows without colour: a cross when it is on, empty when it is off."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Checkbox


class Check(Checkbox):
    """Textual's check box draws its cross in both states and tells them apart by colour alone."""

    @property
    def _button(self) -> Content:
        button = super()._button
        return button if self.value else Content(button.plain.replace(self.BUTTON_INNER, " "), list(button.spans))
