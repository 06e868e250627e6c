"""``python -m bench NAME`` prints one bench's table."""

from functools import partial

from lab import cli

main = partial(cli.main, "bench")

if __name__ == "__main__":
    main()
