r"""Beam search over a whole batch of images at once: the captions of ``beam_search_one``, for each image.

A step of the plain search computes the next word of one hypothesis after the other. Here it is one step of the model
for all hypotheses of all images. That is faster, because most of the time is in products of matrices. Tests compare
both, and with the search of all captions on small vocabularies.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from show_attend_tell.decode import (
    END,
    START,
    Decoder,
    Hypothesis,
    best_first,
    check,
    hypothesis,
    log_probabilities,
    take,
)


def largest(
    values: Float[Tensor, "n candidates"], count: int
) -> tuple[Float[Tensor, "n count"], Int[Tensor, "n count"]]:
    """The largest values of each row and their places; of equal ones, the first. ``topk`` alone may take any."""
    values_and_next, index = values.topk(min(count + 1, values.shape[1]))
    if (values_and_next[:, 1:] == values_and_next[:, :-1]).any():
        values_and_next, index = values.sort(dim=-1, descending=True, stable=True)  # slower
    return values_and_next[:, :count], index[:, :count]


@torch.no_grad()
def beam_search(
    model: Decoder,
    annotations: Float[Tensor, "n *image"],
    width: int,
    longest: int,
    length_penalty: float | int = 0.0,
) -> list[list[Hypothesis]]:
    """Beam search over n images at once. Each image gets at most ``width`` hypotheses, the best first.

    The hypotheses are the second axis of the states, (m, k, H): m images that still run, k places. The annotations
    have this axis too, of size 1. They are broadcast and not copied. An image that is done takes no part any more.

    Args:
        model: in evaluation mode; dropout would change the probabilities.
        width: hypotheses of each image.
        longest: the most words in a caption, with <end>.
        length_penalty: α.

    Raises:
        ValueError: if ``width`` or ``longest`` is below 1, or ``length_penalty`` below 0.
    """
    check(width, longest, length_penalty)
    found: list[list[Hypothesis]] = [[] for _ in range(len(annotations))]
    if not len(annotations):
        return found
    projected = model.project(annotations)
    state = take(model.start(projected), (slice(None), None))  # (m, 1, H): at first there is one hypothesis
    projected = projected.shared()  # (m, 1, L, …)
    image = torch.arange(len(annotations), device=annotations.device)  # (m,): the images that still run
    places = torch.full_like(image, width)  # (m,): those without a finished hypothesis
    log_p = annotations.new_zeros(len(image), 1)  # (m, k): of each hypothesis; -inf where there is none
    ids = image.new_full((len(image), 1, 1), START)  # (m, k, t + 1)
    seen = projected.vectors.new_zeros(len(image), 1, 0, projected.vectors.shape[-2])  # (m, k, t, L)
    for t in range(1, longest + 1):
        logits, state, weights = model.step(ids[..., -1], state, projected)  # (m, k, words), …, (m, k, L)
        extended = log_p[..., None] + log_probabilities(logits)  # (m, k, words)
        log_p, index = largest(extended.flatten(1), width)  # each (m, k'), best first
        before, word = index // logits.shape[-1], index % logits.shape[-1]  # which hypothesis was extended, and by what
        rows = torch.arange(len(image), device=image.device)[:, None]
        state = take(state, (rows, before))  # everything moves with its hypothesis
        ids = torch.cat([ids[rows, before], word[..., None]], dim=-1)
        seen = torch.cat([seen[rows, before], weights[rows, before][:, :, None]], dim=2)

        kept = (torch.arange(log_p.shape[1], device=image.device) < places[:, None]) & (log_p > -torch.inf)
        ended = kept & (word == END)
        for m, k in (kept if t == longest else ended).nonzero().tolist():
            found[image[m]].append(hypothesis(ids[m, k, 1:].tolist(), log_p[m, k].item(), seen[m, k], length_penalty))
        places = places - ended.sum(dim=1)
        log_p = log_p.masked_fill(~kept | ended, -torch.inf)
        runs = (log_p > -torch.inf).any(dim=1)  # (m,)
        if not runs.any():
            break
        if not runs.all():
            image, places, log_p, ids, seen = (x[runs] for x in (image, places, log_p, ids, seen))
            state, projected = take(state, runs), take(projected, runs)
    return [best_first(hypotheses) for hypotheses in found]
