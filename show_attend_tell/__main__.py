"""``python -m show_attend_tell [VERB]``: the verbs are in ``show_attend_tell/commands/``."""

from functools import partial

from lab import cli

main = partial(cli.main, "show_attend_tell")

if __name__ == "__main__":
    main()
