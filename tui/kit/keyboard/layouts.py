"""Keys of other keyboard layouts: the Latin letter that stands on the same key, so that every key works in each.

Only what is typed outside of text fields is looked up. The rows are those of a US keyboard; a blank has no twin. Where
two layouts have one letter in two places (Arabic and Persian, Ukrainian and Belarusian), the key of the more used
command wins.
"""

from __future__ import annotations

from typing import Final

LATIN: Final = ("qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
LAYOUTS: Final[dict[str, tuple[str, str, str]]] = {
    "Russian": ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю "),
    "Ukrainian": ("йцукенгшщзхї", "фівапролджє", "ячсмитьбю "),
    "Greek": (" ςερτυθιοπ  ", "ασδφγηξκλ  ", "ζχψωβνμ   "),
    "Hebrew": ("  קראטוןםפ  ", "שדגכעיחלךף ", "זסבהנמצתץ "),
    "Persian": ("ضصثقفغعهخحجچ", "شسیبلاتنمکگ", "   رذدپو  "),
    "Arabic": ("ضصثقفغعهخحج ", "شسيبلاتنمكط", "ئءؤر ىةوزظ"),
    "Korean": ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ  ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ  ", "ㅋㅌㅊㅍㅠㅜㅡ   "),
    "Georgian": ("ქწერტყუიოპ  ", "ასდფგჰჯკლ  ", "ზხცვბნმ   "),
    "Thai": ("ๆไำพะัีรนยบล", "ฟหกดเ้่าสวง", "ผปแอิืทมใฝ"),
}
DOUBLED: Final = dict(zip("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP", strict=True))
"""Korean letters that take shift."""


def _twins() -> dict[str, str]:
    found: dict[str, str] = dict(DOUBLED)
    for rows in LAYOUTS.values():
        for letters, latin in zip(rows, LATIN, strict=True):
            for letter, key in zip(letters, latin, strict=True):
                if letter != " ":
                    found.setdefault(letter, key)
                    if letter.upper() != letter == letter.upper().lower() and key.isalpha():
                        found.setdefault(letter.upper(), key.upper())
    return found


TWINS: Final = _twins()


def twin(character: str) -> str | None:
    """The Latin character on the key of one of another script; None when it is Latin itself, or of no layout here."""
    return TWINS.get(character)
