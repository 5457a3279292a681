"""`python -m solo_unicorn.workstation`: the service process."""

import sys

from .run import main

sys.exit(main())
