r"""How good vectors are: planted analogies of the toy language, and the public sets of analogies and of similar words.

An analogy "a is to b as c is to d" counts if, of all words but a, b and c, the one with the best score is d. The
toy language asks about pairs that no sentence holds together (``held out``), always beside a pair that some do. Beside
what the vectors reach stands what an answer costs nothing: any word (``chance``), the word nearest to c
(``nearest``), which is what is left of the analogy when b - a is left out, and a word of the right form that stands in
d's relation (``form``), which is what a model reaches that has learned forms and no topics.

Similar words are judged by the rank correlation of cosines with what people said (Finkelstein et al. 2002, WordSim-353;
Hill et al. 2015, SimLex-999). Pairs and questions with an unknown word are left out, and their share is told.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from word2vec.grammar import RELATIONS
from word2vec.similarity import complete, cosines, spearman

ALL = "all"
TABLES = ("centre", "context", "sum")
PROMISES = {
    ("toy", "held out", ALL): 0.95
}  # (data, pairs, relation): the part of the analogies that is answered rightly
KNOWN, HELD_OUT = "known", "held out"
Analogy = tuple[str, str, str, str]  # a is to b as c is to d


def table_of(centre: Float[Tensor, "v d"], context: Float[Tensor, "v d"], name: str = "centre") -> Float[Tensor, "v d"]:
    """The vectors that are judged: W (``centre``, as everywhere unless something else is said), W', or their sum.

    Raises:
        ValueError: if there is no such table.
    """
    if name not in TABLES:
        raise ValueError(f"table must be one of {', '.join(TABLES)}, got {name!r}")
    return {"centre": centre, "context": context, "sum": centre + context}[name]


def toy_analogies(pairs: str = HELD_OUT) -> dict[str, list[Analogy]]:
    """By relation, every pair of this kind (``known`` or ``held out``) after every other known pair, both ways."""
    found = {}
    for name, relation in RELATIONS.items():
        asked = relation.known if pairs == KNOWN else relation.held_out
        both = [(known, pair) for known in relation.known for pair in asked if known != pair]
        found[name] = [(*one[::way], *other[::way]) for one, other in both for way in (1, -1)]
    return found


@dataclass(frozen=True)
class Judged:
    """``right`` of ``asked`` questions; ``unknown`` others hold a word that has no vector."""

    right: int
    asked: int
    unknown: int

    @property
    def accuracy(self) -> float:
        return self.right / self.asked if self.asked else float("nan")


def judge_analogies(
    vectors: Float[Tensor, "v d"],
    words: Sequence[str],
    analogies: Mapping[str, Sequence[Analogy]],
    form: str = "add",
    most: int = 300_000,
) -> dict[str, Judged]:
    """By section, and over ``all`` questions, how many are answered rightly.

    Upper and lower case count as the same, and only the ``most`` first words can be answers, as in gensim. Of words
    that differ in case only, the first one's vector stands for all; in gensim each can answer.

    Args:
        vectors: of ``words``, the most frequent first.
        form: add or mul.
    """
    index = folded(words[:most])
    vectors, index = vectors[list(index.values())], {word: number for number, word in enumerate(index)}
    judged = {}
    for name, questions in analogies.items():
        numbers = [[index[word.upper()] for word in q] for q in questions if all(word.upper() in index for word in q)]
        asked = torch.tensor(numbers, dtype=torch.int64).reshape(-1, 4)
        right = sum(int((best(vectors, part[:, :3], form) == part[:, 3]).sum()) for part in asked.split(256))
        judged[name] = Judged(right, len(asked), len(questions) - len(asked))
    total = (sum(getattr(one, field) for one in judged.values()) for field in ("right", "asked", "unknown"))
    return {**judged, ALL: Judged(*total)}


def best(vectors: Float[Tensor, "v d"], questions: Tensor, form: str) -> Tensor:
    return complete(vectors, questions, 1, form)[0][:, 0]


def folded(words: Sequence[str]) -> dict[str, int]:
    """The number of each word in upper case; of words that differ in case only, the first's."""
    index = {}
    for number, word in enumerate(words):
        index.setdefault(word.upper(), number)
    return index


def baselines(
    vectors: Float[Tensor, "v d"], words: Sequence[str], analogies: Mapping[str, Sequence[Analogy]]
) -> dict[str, dict[str, float]]:
    """By name of the baseline and relation, what costs nothing: see above. For the toy language."""
    index, found = folded(words), {"chance": {}, "form": {}, "nearest": {}}
    for name, questions in analogies.items():
        a, b, c, d = torch.tensor([[index[word.upper()] for word in q] for q in questions]).T
        near = cosines(vectors, c).scatter(1, torch.stack([a, b, c], 1), -torch.inf).argmax(1)
        found["chance"][name] = 1 / (len(words) - 3)
        found["form"][name] = 1 / (len(RELATIONS[name].pairs) - 1)  # every word of d's form but b
        found["nearest"][name] = float((near == d).double().mean())
    weights = {name: len(questions) for name, questions in analogies.items()}
    for row in found.values():
        row[ALL] = sum(row[name] * weight for name, weight in weights.items()) / sum(weights.values())
    return found


@dataclass(frozen=True)
class Similarity:
    """The rank correlation with people over ``pairs`` pairs of words; ``unknown`` others were left out."""

    correlation: float
    pairs: int
    unknown: int


def judge_similarity(
    vectors: Float[Tensor, "v d"], words: Sequence[str], pairs: Sequence[tuple[str, str, float]], most: int = 300_000
) -> Similarity:
    """Spearman's correlation of the cosines with the scores. Upper and lower case count as the same, as in gensim."""
    index = folded(words[:most])
    known = [
        (index[a.upper()], index[b.upper()], score) for a, b, score in pairs if {a.upper(), b.upper()} <= index.keys()
    ]
    if len(known) < 2:
        return Similarity(float("nan"), len(known), len(pairs) - len(known))
    a, b = torch.tensor([[a, b] for a, b, _ in known]).T
    similar = torch.cosine_similarity(vectors[a], vectors[b])
    return Similarity(spearman(similar.tolist(), [score for *_, score in known]), len(known), len(pairs) - len(known))


def read_similarity(path: Path) -> list[tuple[str, str, float]]:
    """Lines of two words and a number, between tabs or commas; lines with # and one line of headings are skipped.

    Raises:
        ValueError: if a line has another form, or there is none.
    """
    pairs, headings = [], 1
    for number, line in enumerate(lines_of(path), 1):
        cells = [cell.strip() for cell in re.split("\t|,", line)]
        if line.startswith("#") or not line.strip():
            continue
        try:
            first, second, score = cells
            if not math.isfinite(float(score)):
                raise ValueError
            pairs.append((first, second, float(score)))
        except ValueError:
            headings -= 1
            if pairs or len(cells) != 3 or headings < 0:
                raise ValueError(f"{path} must have two words and a number, got {line!r} in line {number}") from None
    if not pairs:
        raise ValueError(f"{path} must have lines of two words and a number, and has none")
    return pairs


def read_analogies(path: Path) -> dict[str, list[Analogy]]:
    """By section: lines of four words, and ``: NAME`` where a section begins.

    Raises:
        ValueError: if a line has another form, or there is no question.
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
