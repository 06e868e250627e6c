"""``python -m stft [hear | show | stretch | invert | measure]``: the verbs are in ``stft/commands/``."""

from functools import partial

from lab import cli

main = partial(cli.main, "stft")

if __name__ == "__main__":
    main()
