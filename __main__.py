"""`python -m solo_unicorn` is `solo-unicorn`."""

from .cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
