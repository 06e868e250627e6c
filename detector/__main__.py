"""``python -m detector [train | judge | detect]``: the verbs are in ``detector/commands.py``."""

from functools import partial

from lab import cli

main = partial(cli.main, "detector")

if __name__ == "__main__":
    main()
