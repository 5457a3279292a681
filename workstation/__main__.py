"""`python -m solo_unicorn.workstation`: the service process."""

import sys

from .process import main

sys.exit(main())
