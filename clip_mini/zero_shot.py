r"""Zero-shot classification (Radford et al. 2021, section 3.1): the names of the classes are the classifier.

A class is described by several prompts, such as "a red circle" and "there is a red circle". The mean of their
embeddings, scaled to unit length again, is the class's weight vector. An image belongs to the class whose vector is
nearest. No image of the classes is needed, and a class that training has never named can be asked for.

What differs from the paper: prompts are wordings of the toy world; the paper has 80 templates for ImageNet.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize


def prompts_of(names: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """For each name its prompts: "{}", "there is {}" and "a star" give "a star" and "there is a star"."""
    return [[template.format(name) for template in templates] for name in names]


def class_embeddings(
    encode_text: Callable[[Int[Tensor, "k t"]], Float[Tensor, "k d"]],
    encode: Callable[[Sequence[str]], Int[Tensor, "k t"]],
    prompts: Sequence[Sequence[str]],
) -> Float[Tensor, "c d"]:
    r"""Section 3.1.4: :math:`\bar v_c` is the mean of the embeddings of the prompts of class c. The authors' code
    scales it to unit length again: :math:`w_c = \bar v_c / \lVert \bar v_c \rVert_2`.

    Args:
        encode_text: token ids to unit vectors, such as ``CLIP.encode_text``.
        encode: texts to token ids.
        prompts: of each class, at least one.
    """
    means = [encode_text(encode(texts)).mean(dim=0) for texts in prompts]  # each (d,), shorter than 1
    return normalize(torch.stack(means), dim=-1)


def classify(
    image: Float[Tensor, "n d"], classes: Float[Tensor, "c d"], log_scale: Float[Tensor, ""]
) -> Float[Tensor, "n c"]:
    r"""Section 3.1.2: :math:`p(c \mid u) = \mathrm{softmax}_c(e^{t}\, \hat u \cdot w_c)`, for n unit vectors."""
    return (log_scale.exp() * image @ classes.T).softmax(dim=-1)
