"""Tables of accuracies for the terminal."""

from collections.abc import Mapping

from vqa.commands.train_and_judge import Result
from vqa.evaluate import PROMISES


def result_table(result: Result) -> str:
    """A table for the terminal for each test split: kinds of question down, baselines and the model across, in %."""
    return "\n\n".join(
        f"{result.data}, {split} split\n"
        + table(measures, {kind: PROMISES.get((result.data, split, kind)) for kind in measures["reached"]})
        for split, measures in result.splits.items()
    )


def table(columns: Mapping[str, Mapping[str, float]], promised: Mapping[str, float | None] | None = None) -> str:
    """Columns of accuracies in %, a row for each kind; a column of promises where there is any."""
    if promised and any(value is not None for value in promised.values()):
        columns = {**columns, "promised": promised}
    kinds = list(next(iter(columns.values())))
    first_width = max(len("kind"), *map(len, kinds))
    lines = ["  ".join(["kind".ljust(first_width), *(f"{name:>8}" for name in columns)])]
    for kind in kinds:
        cells = (percent(column[kind]).rjust(max(8, len(name))) for name, column in columns.items())
        lines.append("  ".join([kind.ljust(first_width), *cells]))
    return "\n".join(lines)


def percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{100 * accuracy:.2f}%"
