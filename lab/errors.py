"""What a command line does with an error: wrong input and files that fail are told in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def command_line() -> Iterator[None]:
    """Stands around the body of a ``main``.

    A ``ValueError`` (wrong input) or an ``OSError`` (a missing file, a full disk) becomes one line on stderr and exit
    status 2; Ctrl-C becomes exit status 130, as shells have it. Every other exception passes with its traceback.
    Mistakes of our own mostly are others; one that is a ``ValueError`` is told in one line too.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
