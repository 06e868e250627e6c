"""Public files of words that people have judged: pairs with a score of their similarity, and analogies.

Files of pairs come in many layouts. Columns may be between tabs, semicolons, commas or blanks, and there may be more
than two words and a number. There may be a line of headings, lines that begin with # (comments), and decimal commas. So
WordSim-353 (whole, in parts, or with its kinds of relation), SimLex-999, SimVerb-3500, MEN and RG-65 are read as they
are published.
"""

import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from word2vec.evaluate import Analogy

Pair = tuple[str, str, float]
Row = tuple[int, str, list[str]]  # the number of a line, the line, its cells
SEPARATORS = ("\t", ";", ",", None)  # None: blanks
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
HEADING = re.compile(r"(word|단어)[ _]?\d?|w[ _]?\d", re.IGNORECASE)  # of a column of words
SHOWN = 80  # letters of a wrong line that a message quotes


def read_similarity(path: Path) -> list[Pair]:
    """The pairs of a file with their scores. If they are not in the first three columns, one line on stderr says where.

    Raises:
        ValueError: if a line does not have what the others have, or the file has no pairs.
    """
    lines = [(number, line.strip()) for number, line in enumerate(lines_of(path), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise ValueError(f"{path} must have lines of two words and a number, and has none")
    ways = [[(number, line, cells_of(line, separator)) for number, line in lines] for separator in SEPARATORS]
    rows = max(ways, key=lambda rows: sum(any(map(is_number, cells[2:])) for *_, cells in rows))  # of equals the first
    one, two, score = columns_of(path, rows)
    has_headings = len(rows) > 1 and score < len(rows[0][2]) and not is_number(rows[0][2][score])
    pairs = []
    for number, line, cells in rows[has_headings:]:
        if len(cells) <= score or not (cells[one] and cells[two] and is_number(cells[score])):
            raise wrong(path, number, line)
        pairs.append((cells[one], cells[two], float(cells[score].replace(",", "."))))
    if (one, two, score) != (0, 1, 2):
        print(f"note: {path}: words are in columns {one + 1} and {two + 1}, scores in {score + 1}", file=sys.stderr)
    return pairs


def cells_of(line: str, separator: str | None) -> list[str]:
    """A line in parts. Between double quotes a separator is a part of the cell."""
    if separator is None or line.count('"') < 2:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except csv.Error:  # a cell is longer than any word
        return []


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number. The words "nan" and "infinity" are none."""
    return NUMBER.fullmatch(cell) is not None


def wrong(path: Path, number: int, line: str) -> ValueError:
    return ValueError(f"{path} must have two words and a number, got {line[:SHOWN]!r} in line {number}")


def columns_of(path: Path, rows: Sequence[Row]) -> tuple[int, int, int]:
    """Which columns have the words and the score: the score is the first column of numbers behind two of words.

    If there are more than two columns of words before the score, the headings decide. Without headings, a column with
    few different entries is a kind of word or of relation.

    Raises:
        ValueError: if there are no such columns, or more than two may be the words.
    """
    columns = [[cells[k] for *_, cells in rows if k < len(cells)] for k in range(max(len(row[2]) for row in rows))]
    counts = [sum(map(is_number, column)) for column in columns]
    numbers = [count > 0 and 2 * count >= len(rows) - 1 for count in counts]  # not all: wrong lines are named later
    score = next((k for k, found in enumerate(numbers) if found and numbers[:k].count(False) >= 2), None)
    if score is None:
        raise wrong(path, *rows[0][:2])
    words = [k for k in range(score) if not numbers[k]]
    headed = [k for k in words if len(rows[0][2]) == len(columns) and HEADING.fullmatch(rows[0][2][k])]
    if len(headed) == 2:
        words = headed
    if len(words) > 2:
        _, second, third, *_ = sorted((len(set(columns[k])) for k in words), reverse=True)
        if 2 * third > second:
            where = f"got {len(words)} in {rows[0][1][:SHOWN]!r} in line {rows[0][0]}"
            raise ValueError(f"{path} must have two columns of words, or headings such as word1 and word2, {where}")
        words = [k for k in words if len(set(columns[k])) >= second]
    return words[0], words[1], score


def read_analogies(path: Path) -> dict[str, list[Analogy]]:
    """The questions of each section: lines of four words; a section begins with the line ``: NAME``.

    Raises:
        ValueError: if a line is of another kind, or the file has no question.
    """
    sections: dict[str, list[Analogy]] = {}
    here: list[Analogy] = []
    for number, line in enumerate(lines_of(path), 1):
        words = tuple(line.split())
        if line.startswith(":"):
            here = sections.setdefault(line[1:].strip(), [])
        elif len(words) == 4 and sections:
            here.append(words)
        elif words:
            expected = "four words" if sections else "': NAME' before the first question"
            raise ValueError(f"{path} must have {expected}, got {line!r} in line {number}")
    if not any(sections.values()):
        raise ValueError(f"{path} must have lines of four words, and has none")
    return sections


def lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be text in UTF-8, and is not") from None
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror}") from error
