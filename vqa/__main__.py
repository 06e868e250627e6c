"""``python -m vqa [train | judge | compare | ask]``: the verbs are in ``vqa/commands/``."""

from functools import partial

from lab import cli

main = partial(cli.main, "vqa")

if __name__ == "__main__":
    main()
