r"""What vectors know: neighbours, analogies, and how well they agree with people (Mikolov et al. 2013a, sections 1 and
4; Levy & Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations").

All of it turns vectors to length one first, and compares by cosine. The two forms of an analogy differ in how they
weigh three similarities: 3CosAdd is the paper's, in which one large similarity may decide alone; 3CosMul is Levy and
Goldberg's, in which all three count on a scale of ratios.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

EPSILON = 1e-3  # Levy & Goldberg 2014, so that nothing is divided by zero


def cosines(vectors: Float[Tensor, "v d"], words: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
    """How similar some words are to every word, from -1 to 1; a vector of zeros is similar to nothing (0)."""
    unit = normalize(vectors, dim=1)  # (v, d)
    return unit[words] @ unit.T


def nearest(vectors: Float[Tensor, "v d"], word: int, count: int) -> list[tuple[int, float]]:
    """The ``count`` words with the most similar vectors, but for the word itself, with their cosines."""
    similar = cosines(vectors, torch.tensor([word]))[0].index_fill(0, torch.tensor([word]), -torch.inf)  # (v,)
    values, numbers = similar.topk(min(count, len(similar) - 1))
    return list(zip(numbers.tolist(), values.tolist(), strict=True))


def three_cos_add(
    vectors: Float[Tensor, "v d"], a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]
) -> Float[Tensor, "n v"]:
    r"""2013a, section 4: "a is to b as c is to …", :math:`\cos(x, b - a + c)` for every word x, with unit vectors.

    The length of b - a + c is the same for all x, so it is left out: what stands here is
    :math:`\cos(x, b) - \cos(x, a) + \cos(x, c)`.
    """
    unit = normalize(vectors, dim=1)  # (v, d)
    return (unit[b] - unit[a] + unit[c]) @ unit.T


def three_cos_mul(
    vectors: Float[Tensor, "v d"], a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]
) -> Float[Tensor, "n v"]:
    r"""Levy & Goldberg 2014, equation 4: :math:`\frac{\cos(x, b)\,\cos(x, c)}{\cos(x, a) + \varepsilon}` for every x.

    Cosines are moved to 0 … 1 first, by (cos + 1)/2: a product of negative numbers would say the opposite.
    """
    to_a, to_b, to_c = ((cosines(vectors, words) + 1) / 2 for words in (a, b, c))
    return to_b * to_c / (to_a + EPSILON)


FORMS = {"add": three_cos_add, "mul": three_cos_mul}


def complete(
    vectors: Float[Tensor, "v d"], questions: Int[Tensor, "n 3"], count: int = 1, form: str = "add"
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The best answers to "a is to b as c is to …", none of which is a, b or c, and their scores.

    Args:
        questions: the numbers of a, b and c.
        form: add or mul.

    Raises:
        ValueError: if there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    scores = FORMS[form](vectors, *questions.unbind(1)).scatter(1, questions, -torch.inf)  # (n, v)
    best = scores.topk(min(count, len(vectors) - 3), dim=1)
    return best.indices, best.values


def ranks(values: Sequence[float]) -> Float[Tensor, " n"]:
    """From 1 on, the lowest first; equal values share the mean of their places."""
    tensor = torch.tensor(values, dtype=torch.float64)
    below = (tensor[None] < tensor[:, None]).sum(1)  # (n,), how many are lower
    equal = (tensor[None] == tensor[:, None]).sum(1)
    return below + (equal + 1).double() / 2


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """The correlation of two lists' ranks, from -1 to 1; not a number if one of them is constant."""
    x, y = (ranks(values) - (len(values) + 1) / 2 for values in (one, other))
    return float(x @ y / (x.norm() * y.norm()))
