"""``python -m tour`` trains every paper, and writes ``runs/tour/report.html``; status 1 if a promise is not kept."""

from functools import partial

from lab import cli

main = partial(cli.main, "tour")

if __name__ == "__main__":
    main()
