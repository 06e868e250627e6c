"""``python -m workbook [VERB]``: the verbs are in ``workbook/commands.py``."""

import sys
from functools import partial
from pathlib import Path

from lab import cli

sys.path.append(str(Path(__file__).parent.parent))  # the judge is in tests/, which is not installed
main = partial(cli.main, "workbook")

if __name__ == "__main__":
    main()
