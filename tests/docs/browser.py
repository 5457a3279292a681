"""The browser of a reader who signs in: fills in the form of a page, presses its button, and follows where it leads.

Started as `browser.py URL`, as a program starts `$BROWSER`; e-mail address and password are in the environment.
"""

from __future__ import annotations

import os
import re
import sys

import httpx

EMAIL, PASSWORD = "READER_EMAIL", "READER_PASSWORD"


def sign_in(address: str, *, email: str, password: str) -> httpx.Response:
    """Fill in and send each form that comes, until a page has none; the last page."""
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=20) as http:
        page = http.get(address)
        for _ in range(4):
            fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page.text))
            buttons = re.findall(r'<button name="action" value="([\w-]+)"', page.text)
            if "csrf" not in fields or not buttons:
                break
            fields |= {"action": buttons[0]}
            if "password" in page.text:
                fields |= {"email": email, "password": password}
            target = re.search(r'<form method="post" action="([^"]*)"', page.text)
            page = http.post(page.url.join(target[1].replace("&amp;", "&") if target else ""), data=fields)
        return page


if __name__ == "__main__" and os.fork() == 0:  # a browser does not keep whoever opened it waiting
    sign_in(sys.argv[1], email=os.environ[EMAIL], password=os.environ[PASSWORD])
