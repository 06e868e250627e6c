"""Configurations. A field's range is part of its type, ``steps: Annotated[int, Ge(1)] = 500``; it is checked here."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

Config = TypeVar("Config")


def checked(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """The configuration with these values, for example from a run's ``run.json``, where a tuple is a list.

    Raises:
        ValueError: names the first field that is unknown or out of range, its value, and what is allowed.
    """
    hints = get_type_hints(kind, include_extras=True)
    if unknown := values.keys() - hints.keys():
        raise ValueError(f"a configuration has the fields {', '.join(hints)}, got {', '.join(sorted(unknown))}")
    fields = {}
    for name, value in values.items():
        adapter = TypeAdapter(hints[name], config=ConfigDict(allow_inf_nan=False))
        try:
            fields[name] = adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"[{index}]" for index in first["loc"] if isinstance(index, int))
            message = first["msg"].replace("Field required", "must be given")  # a tuple is too short
            message = message.replace("Input should", "must").replace("Tuple should", "must")
            raise ValueError(f"{name}{place} {message}, got {first['input']!r}") from None
    return kind(**fields)


def check(config: Any) -> None:
    """Raises ValueError, with the field's name, if a value is out of its range."""
    checked(type(config), {field.name: getattr(config, field.name) for field in dataclasses.fields(config)})
