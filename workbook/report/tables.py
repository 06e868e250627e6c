"""The table of ``workbook/report/mutants.md``: how many small mistakes the tests of each core file see."""

from collections.abc import Mapping
from functools import partial

from lab.tables import images_of, markdown, take_entries
from workbook.mutants import EQUIVALENT, KILLED, score

TAKEN = {"mutants": {}}


def mutants(results: Mapping) -> str:
    """A row for each core file, and one for all."""
    entry = results["mutants"]
    files = entry["files"]
    total = {key: sum(row[key] for row in files.values()) for key in next(iter(files.values()))}
    rows = [
        [
            name,
            *(str(row[key]) for key in ("mutants", KILLED, EQUIVALENT)),
            f"{100 * score(row):.1f}",
            str(row["seconds"]),
        ]
        for name, row in {**{f"`{file}`": row for file, row in files.items()}, "all": total}.items()
    ]
    table = markdown(["file", "mutants", "killed", "equivalent", "score in %", "seconds"], rows)
    return f"{table}\n\n`{entry['command']}`: {total['seconds'] / 60:.0f} minutes of computing ({entry['machine']})."


BLOCKS = {"mutants": mutants}
take = partial(take_entries, TAKEN)
images = partial(images_of, TAKEN)
