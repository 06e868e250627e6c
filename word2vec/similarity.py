r"""Similar words, analogies, and rank correlation (Mikolov et al. 2013a, sections 1 and 4; Levy & Goldberg, CoNLL 2014,
"Linguistic Regularities in Sparse and Explicit Word Representations").

Vectors are compared by cosine. An analogy combines three similarities. The paper adds them (3CosAdd), so one large
similarity can decide alone. Levy and Goldberg multiply them (3CosMul), so all three count.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

EPSILON = 1e-3  # Levy & Goldberg 2014; it avoids a division by zero


def cosines(vectors: Float[Tensor, "v d"], words: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
    """The cosine of some words with every word; 0 for a vector of zeros."""
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


def three_cos_mul(
    vectors: Float[Tensor, "v d"], a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]
) -> Float[Tensor, "n v"]:
    r"""Levy & Goldberg 2014, equation 4: :math:`\frac{\cos(x, b)\,\cos(x, c)}{\cos(x, a) + \varepsilon}` for every x.

    Cosines are first mapped to 0 … 1, by (cos + 1)/2: the product of two negative cosines would be positive.
    """
    to_a, to_b, to_c = ((cosines(vectors, words) + 1) / 2 for words in (a, b, c))
    return to_b * to_c / (to_a + EPSILON)  # (n, V)


METHODS = {"add": three_cos_add, "mul": three_cos_mul}


def complete(
    vectors: Float[Tensor, "v d"], questions: Int[Tensor, "n 3"], count: int = 1, method: str = "add"
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The ids of the best answers to "a is to b as c is to …", without a, b and c, and their scores.

    Args:
        vectors: of all words.
        questions: the ids of a, b and c.
        count: the number of answers to each question.
        method: add or mul.

    Raises:
        ValueError: if there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    scores = METHODS[method](vectors, *questions.unbind(1)).scatter(1, questions, -torch.inf)  # (n, v)
    best = scores.topk(min(count, len(vectors) - 3), dim=1)
    return best.indices, best.values


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
