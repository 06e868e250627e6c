"""``python -m workbook [VERB]``: the verbs are in ``workbook/commands.py``."""

from functools import partial

from lab import cli

main = partial(cli.main, "workbook")

if __name__ == "__main__":
    main()
