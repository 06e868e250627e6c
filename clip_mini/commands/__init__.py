"""Stand-in for the lead's file: the verbs of ``python -m clip_mini``."""

from clip_mini.commands.search import Search, Tag

VERBS = (Search, Tag)
DEFAULT = None
