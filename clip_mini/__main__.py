"""``python -m clip_mini [VERB]``: the verbs are in ``clip_mini/commands/``."""

from functools import partial

from lab import cli

main = partial(cli.main, "clip_mini")

if __name__ == "__main__":
    main()
