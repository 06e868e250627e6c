"""A function in a process of its own. It may hang, die or change what is imported: this process goes on."""

import multiprocessing
import os
import pkgutil
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

from workbook.exercises import ROOT

SECONDS = 600  # on the clock
PRELOADED = ["torch", "pytest", "hypothesis.extra.numpy", "jaxtyping", "beartype", "workbook.plugin"]


def context() -> multiprocessing.context.BaseContext:
    """Where the system can fork, a server imports torch once; a fork of it needs no second for this."""
    methods = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        chosen.set_forkserver_preload(PRELOADED)
    return chosen


def in_a_process(function: str, *arguments: Any, seconds: float = SECONDS) -> Any:
    """``function(*arguments)`` in another process; None if that dies or takes too long.

    The function is given by its dotted path, so that this process does not import torch: it answers at once.
    """
    receiver, sender = context().Pipe(duplex=False)
    process = context().Process(target=send, args=(sender, function, *arguments))
    with mock.patch.dict(vars(sys.modules["__main__"]), __spec__=None, __file__=None):
        process.start()  # the new process does not import the program that is running: that may be pytest
    sender.close()
    try:
        result = receiver.recv() if receiver.poll(seconds) else None
        if isinstance(result, str):
            raise RuntimeError(f"the judge itself failed:\n{result}")
        return result
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def send(sender: Connection, function: str, *arguments: Any) -> None:
    os.chdir(ROOT)
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path not in ("", str(ROOT)))]
    with open(os.devnull, "r+") as nothing:  # noqa: PTH123
        sys.stdin, sys.stdout, sys.stderr = nothing, nothing, nothing
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)
        try:
            sender.send(pkgutil.resolve_name(function)(*arguments))
        except Exception:
            sender.send(traceback.format_exc())
