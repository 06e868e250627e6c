"""A fresh install gets the versions that were measured: whatever the project needs, and what that needs, is pinned."""

import re
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

LINES = (Path(__file__).parents[1] / "constraints.txt").read_text().splitlines()
PINNED = dict(line.split("==") for line in LINES if not line.startswith("#"))
PROJECT = "multimodal-from-scratch"


def plain(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> dict[str, str]:
    """Name and installed version of all that the project's dependencies lead to, its extras included."""
    extras = metadata.metadata(PROJECT).get_all("Provides-Extra")
    found, waiting = {}, [(PROJECT, extra) for extra in ["", *extras]]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        environment = default_environment() | {"extra": extra}
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                found[plain(requirement.name)] = metadata.version(requirement.name)
                more = {(plain(requirement.name), extra) for extra in ["", *requirement.extras]} - seen
                seen |= more
                waiting += more
    return found


def test_every_dependency_is_pinned_at_the_installed_version() -> None:
    pinned = {plain(name): version for name, version in PINNED.items()}
    found = needed()
    assert {"torch", "pytest", "easy-vqa", "setuptools", "typeguard"} <= found.keys()  # near and far, of each extra
    versions = {name: version.split("+")[0] for name, version in found.items()}  # torch's +cpu is no other version
    assert {name: pinned.get(name, "missing") for name in versions} == versions


def test_the_lines_are_sorted() -> None:
    assert list(PINNED) == sorted(PINNED, key=str.lower)
