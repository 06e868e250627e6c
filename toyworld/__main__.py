"""``python -m toyworld`` draws a sheet of what is seen, said, asked and heard."""

from functools import partial

from lab import cli

main = partial(cli.main, "toyworld")

if __name__ == "__main__":
    main()
