r"""Similar words and analogies (Mikolov et al. 2013a, sections 1 and 4).

Vectors are compared by cosine. An analogy adds three similarities; its later name is 3CosAdd.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

Score = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # of vectors, a, b and c: (n, v)


def check_ids(ids: Int[Tensor, "*shape"], count: int) -> None:
    wrong = ids[(ids < 0) | (ids >= count)]
    if len(wrong):
        raise ValueError(f"ids of words must be from 0 to {count - 1}, got {int(wrong[0])}")


def cosines(vectors: Float[Tensor, "v d"], words: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
    """The cosine of some words (by their ids) with every word; 0 for a vector of zeros.

    Raises:
        ValueError: if an id is negative, or not below the number of vectors.
    """
    check_ids(words, len(vectors))
    unit = normalize(vectors, dim=1)  # (v, d)
    return unit[words] @ unit.T


def nearest(vectors: Float[Tensor, "v d"], word: int, count: int) -> list[tuple[int, float]]:
    """The ids of the ``count`` words with the most similar vectors, without the word itself, with their cosines."""
    similar = cosines(vectors, torch.tensor([word]))[0].index_fill(0, torch.tensor([word]), -torch.inf)  # (v,)
    values, ids = similar.topk(min(count, len(similar) - 1))
    return list(zip(ids.tolist(), values.tolist(), strict=True))


def three_cos_add(
    vectors: Float[Tensor, "v d"], a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]
) -> Float[Tensor, "n v"]:
    r"""2013a, section 4: "a is to b as c is to …", :math:`\cos(x, b - a + c)` for every word x, with unit vectors.

    The length of b - a + c is the same for all x, so it is left out. This returns
    :math:`\cos(x, b) - \cos(x, a) + \cos(x, c)`.
    """
    unit = normalize(vectors, dim=1)  # (v, d)
    return (unit[b] - unit[a] + unit[c]) @ unit.T  # (n, V); cos(x, b) - cos(x, a) + cos(x, c)


def complete(
    vectors: Float[Tensor, "v d"], questions: Int[Tensor, "n 3"], count: int = 1, score: Score = three_cos_add
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The ids of the best answers to "a is to b as c is to …", without a, b and c, and their scores.

    Args:
        vectors: of all words.
        questions: the ids of a, b and c.
        count: the number of answers to each question.
        score: of every word, given a, b and c.

    Raises:
        ValueError: if an id is negative, or not below the number of vectors.
    """
    check_ids(questions, len(vectors))
    scores = score(vectors, *questions.unbind(1)).scatter(1, questions, -torch.inf)  # (n, v)
    best = scores.topk(min(count, len(vectors) - 3), dim=1)
    return best.indices, best.values
