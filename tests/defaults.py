"""Defaults that a README or a paper names. One that changes in silence changes what readers measure.

A table of expected defaults stands in each paper's ``test_defaults.py``; it is written by hand, from the paper, the
README, or the library whose arguments are taken over. The measured numbers of a README belong to a configuration too,
that of ``report/results.json``: it must be today's.
"""

import importlib
import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def named(name: str) -> Any:
    """What ``package.module.name`` means, or ``package.module.CONFIGS[key]``, or the module ``package.module``."""
    path, key = re.fullmatch(r"([\w.]+)(?:\[(.+)\])?", name).groups()
    module, _, last = path.rpartition(".")
    try:
        value = getattr(importlib.import_module(module), last)
    except AttributeError:
        value = importlib.import_module(path)
    return value if key is None else value[key]


def default_of(thing: Any, name: str) -> Any:
    """A function's or a class's default, or an attribute: of a module, of a configuration."""
    if callable(thing):
        parameter = inspect.signature(thing).parameters[name]
        assert parameter.default is not parameter.empty, f"{name} has no default"
        return parameter.default
    return getattr(thing, name)


def check_defaults(name: str, expected: Mapping[str, Any]) -> None:
    thing = named(name)
    came = {key: default_of(thing, key) for key in expected}
    assert came == expected, f"{name}: the defaults must be {expected}, got {came}"


def check_measured(paper: str, result: str, name: str) -> None:
    """The configuration of a measured result is today's."""
    results = json.loads((ROOT / paper / "report" / "results.json").read_text(encoding="utf-8"))
    measured, now = results[result]["config"], json.loads(json.dumps(asdict(named(name))))
    assert {key: measured.get(key) for key in now} == now, (
        f"{paper}: README's numbers of {result!r} were measured with other values than those of {name} now"
    )
