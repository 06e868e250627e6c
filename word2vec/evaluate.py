r"""Evaluation by analogies of the toy language, and by the public sets of analogies and of similar words.

An analogy "a is to b as c is to d" is answered correctly if d has the best score of all words except a, b and c. In the
toy language some sentences contain both words of the pair (a, b); such a pair is ``known``. The pair (c, d) is either
another known pair, or ``held out``: no sentence contains both of its words. Three baselines need no analogy:

- ``chance``: any word;
- ``word-form``: any word of d's relation on d's side (for d = queen: any word for a woman). A model that has learned
  the forms but not the topics reaches this accuracy;
- ``nearest``: the word nearest to c. It is what remains of the analogy without b - a.

Word similarity is judged by the rank correlation of cosines with scores that people gave (Finkelstein et al. 2002,
WordSim-353; Hill et al. 2015, SimLex-999). Pairs and questions with an unknown word are left out and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from toyworld.language import RELATIONS
from word2vec.similarity import Score, complete, cosines, three_cos_add

ALL = "all"
TABLES = ("centre", "context", "sum")
KNOWN, HELD_OUT = "known", "held out"
PROMISES = {("toy", HELD_OUT, ALL): 0.95}  # (data, pairs, relation): the lowest accuracy
Analogy = tuple[str, str, str, str]  # a is to b as c is to d


def table_of(centre: Float[Tensor, "v d"], context: Float[Tensor, "v d"], name: str = "centre") -> Float[Tensor, "v d"]:
    """The vectors to judge: W (``centre``, the default everywhere), W' (``context``), or their ``sum``.

    Raises:
        ValueError: if there is no such table.
    """
    if name not in TABLES:
        raise ValueError(f"table must be one of {', '.join(TABLES)}, got {name!r}")
    return {"centre": centre, "context": context, "sum": centre + context}[name]


def toy_analogies(pairs: str = HELD_OUT) -> dict[str, list[Analogy]]:
    """The analogies of each relation: every known pair with every other pair of this kind (``known`` or ``held out``),
    in both directions."""
    found = {}
    for name, relation in RELATIONS.items():
        asked = relation.known if pairs == KNOWN else relation.held_out
        both = [(known, pair) for known in relation.known for pair in asked if known != pair]
        found[name] = [(*one[::way], *other[::way]) for one, other in both for way in (1, -1)]
    return found


@dataclass(frozen=True)
class AnalogyScore:
    """The number of questions with a correct answer."""

    right: int
    asked: int
    unknown: int  # questions that were not asked because one of their words has no vector

    @property
    def accuracy(self) -> float:
        return self.right / self.asked if self.asked else float("nan")


def judge_analogies(
    vectors: Float[Tensor, "v d"],
    words: Sequence[str],
    analogies: Mapping[str, Sequence[Analogy]],
    score: Score = three_cos_add,
    limit: int = 300_000,
) -> dict[str, AnalogyScore]:
    """The score of each section, and over ``all`` sections.

    As in gensim, case is ignored and only the first ``limit`` words are used. Of words that differ only in case, the
    first is used and the others are dropped; in gensim each of them can be an answer.

    Args:
        vectors: of ``words``.
        words: the most frequent first.
        analogies: questions by section.
        score: of every word as an answer.
        limit: the number of words that are used.
    """
    first = lower_case_index(words[:limit])
    vectors, index = vectors[list(first.values())], {word: i for i, word in enumerate(first)}
    scores = {}
    for section, questions in analogies.items():
        ids = [[index[word.lower()] for word in q] for q in questions if all(word.lower() in index for word in q)]
        asked = torch.tensor(ids, dtype=torch.int64).reshape(-1, 4)
        right = sum(int((best_answers(vectors, part[:, :3], score) == part[:, 3]).sum()) for part in asked.split(256))
        scores[section] = AnalogyScore(right, len(asked), len(questions) - len(asked))
    total = (sum(getattr(row, field) for row in scores.values()) for field in ("right", "asked", "unknown"))
    return {**scores, ALL: AnalogyScore(*total)}


def best_answers(vectors: Float[Tensor, "v d"], questions: Int[Tensor, "n 3"], score: Score) -> Int[Tensor, " n"]:
    return complete(vectors, questions, 1, score)[0][:, 0]


def lower_case_index(words: Sequence[str]) -> dict[str, int]:
    """The index of each word in lower case; of words that differ only in case, the first index."""
    index = {}
    for i, word in enumerate(words):
        index.setdefault(word.lower(), i)
    return index


def baselines(
    vectors: Float[Tensor, "v d"], words: Sequence[str], analogies: Mapping[str, Sequence[Analogy]]
) -> dict[str, dict[str, float]]:
    """The accuracy of each baseline (see the module's docstring) on each relation of the toy language."""
    index, found = lower_case_index(words), {"chance": {}, "word-form": {}, "nearest": {}}
    for name, questions in analogies.items():
        a, b, c, d = torch.tensor([[index[word.lower()] for word in q] for q in questions]).T
        near = cosines(vectors, c).scatter(1, torch.stack([a, b, c], 1), -torch.inf).argmax(1)
        found["chance"][name] = 1 / (len(words) - 3)
        found["word-form"][name] = 1 / (len(RELATIONS[name].pairs) - 1)  # all words of d's side except b
        found["nearest"][name] = float((near == d).double().mean())
    weights = {name: len(questions) for name, questions in analogies.items()}
    for row in found.values():
        row[ALL] = sum(row[name] * weight for name, weight in weights.items()) / sum(weights.values())
    return found


def ranks(values: Sequence[float]) -> Float[Tensor, " n"]:
    """Ranks from 1, the lowest value first; equal values share their mean rank."""
    tensor = torch.tensor(values, dtype=torch.float64)
    below = (tensor[None] < tensor[:, None]).sum(1)  # (n,), the number of lower values
    equal = (tensor[None] == tensor[:, None]).sum(1)
    return below + (equal + 1).double() / 2


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation, from -1 to 1; NaN if a list is constant."""
    x, y = (ranks(values) - (len(values) + 1) / 2 for values in (one, other))
    return float(x @ y / (x.norm() * y.norm()))


@dataclass(frozen=True)
class Similarity:
    """The rank correlation with people over ``pairs`` pairs; ``unknown`` other pairs have a word without a vector."""

    correlation: float
    pairs: int
    unknown: int


def judge_similarity(
    vectors: Float[Tensor, "v d"], words: Sequence[str], pairs: Sequence[tuple[str, str, float]], limit: int = 300_000
) -> Similarity:
    """Spearman's correlation of the cosines with the scores. Case is ignored, as in gensim."""
    index = lower_case_index(words[:limit])
    known = [
        (index[a.lower()], index[b.lower()], score) for a, b, score in pairs if {a.lower(), b.lower()} <= index.keys()
    ]
    if len(known) < 2:
        return Similarity(float("nan"), len(known), len(pairs) - len(known))
    a, b = torch.tensor([[a, b] for a, b, _ in known]).T
    similar = torch.cosine_similarity(vectors[a], vectors[b])
    return Similarity(spearman(similar.tolist(), [score for *_, score in known]), len(known), len(pairs) - len(known))
