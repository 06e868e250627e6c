"""``python -m cgan [train | judge | draw | interpolate]``: the verbs are in ``cgan/commands/``."""

from functools import partial

from lab import cli

main = partial(cli.main, "cgan")

if __name__ == "__main__":
    main()
