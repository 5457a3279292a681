"""`python -m solo_unicorn.workstation`: the service process."""

import sys

from ..system.importing import imports_kept

with imports_kept():
    from .process import main

sys.exit(main())
