"""What the tests of a launch begin with."""

from .prepared import no_proxy, run_dir

__all__ = ["no_proxy", "run_dir"]
