r"""Analogies by a product (Levy & Goldberg, CoNLL 2014, "Linguistic Regularities in Sparse and Explicit Word
Representations").

The paper's 3CosAdd adds three similarities, so one large similarity can decide alone. 3CosMul multiplies them, so all
three count.
"""

from collections.abc import Mapping
from types import MappingProxyType

from jaxtyping import Float, Int
from torch import Tensor

from word2vec.similarity import Score, cosines, three_cos_add

EPSILON = 1e-3  # Levy & Goldberg 2014; it avoids a division by zero


def three_cos_mul(
    vectors: Float[Tensor, "v d"], a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]
) -> Float[Tensor, "n v"]:
    r"""Levy & Goldberg 2014, equation 4: :math:`\frac{\cos(x, b)\,\cos(x, c)}{\cos(x, a) + \varepsilon}` for every x.

    Cosines are first mapped to 0 … 1, by (cos + 1)/2: the product of two negative cosines would be positive.
    """
    to_a, to_b, to_c = ((cosines(vectors, words) + 1) / 2 for words in (a, b, c))
    return to_b * to_c / (to_a + EPSILON)  # (n, V)


METHODS: Mapping[str, Score] = MappingProxyType({"add": three_cos_add, "mul": three_cos_mul})
