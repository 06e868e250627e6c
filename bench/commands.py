"""What ``python -m bench NAME`` does: a verb for each ``VERBS`` of a paper's ``report/bench.py``, and our own."""

from bench.threads import Threads
from bench.toyworld import Toyworld
from lab.papers import PAPERS, part

MODULES = [module for paper in PAPERS if (module := part(paper, "report.bench"))]
VERBS = (*(verb for module in MODULES for verb in module.VERBS), Toyworld, Threads)
DEFAULT = None
