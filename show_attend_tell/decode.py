r"""From an image to a caption: greedy decoding and beam search (Vinyals et al. 2015, arXiv 1411.4555, section 3.1).

Greedy decoding writes the most probable word at each step. Beam search keeps the ``width`` best beginnings, the
*hypotheses*. It extends each of them by every word, and keeps the best of all results. A hypothesis that ends with
<end> is finished: it is put aside, and the search goes on with one place less. So ``width`` 1 is greedy decoding.

- All hypotheses of a step have the same length, so the search compares log p. At the end the list is sorted by
  :math:`\text{score} = \log p(y \mid a) / C^\alpha`: C is the number of words, with <end>, and α the length penalty.
  With α = 0 it is log p, which prefers short captions. With α = 1 it is the mean over the words.
- The search of an image stops when every place has a finished hypothesis, and at ``longest`` words. No earlier: with
  α > 0, a hypothesis that still runs can get a better score than any finished one. Unfinished captions come last.
- Of two equal log p, the first is that of the hypothesis that was better before, then that of the smaller word id.
- <pad>, <start> and <unknown> are never written. The probabilities of the other words are still the model's own.

``greedy`` takes all images at once. ``beam_search_one`` searches for one image, in plain loops.
``extensions/beam_search.py`` gives the same for a whole batch, and is faster.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from show_attend_tell.model import Annotations, State

START, END = 1, 2  # token ids
NEVER = (0, START, 3)  # <pad>, <start>, <unknown>
Rows = TypeVar("Rows", bound=tuple)


@runtime_checkable
class Decoder(Protocol):
    """What writes a caption word by word: a ``Captioner``, or another form of it."""

    def project(self, annotations: Tensor) -> Annotations: ...
    def start(self, annotations: Annotations) -> State: ...
    def step(self, token_ids: Tensor, state: State, annotations: Annotations) -> tuple[Tensor, State, Tensor]: ...


class Hypothesis(NamedTuple):
    """A caption, or the beginning of one."""

    ids: list[int]  # without <start>; the last one is <end>, if the caption has ended
    log_probability: float  # log p of these words, in nats
    score: float  # log_probability / len(ids) ** length_penalty
    weights: Float[Tensor, "t L"]  # row t: the attention for word t

    @property
    def ended(self) -> bool:
        return self.ids[-1] == END


def hypothesis(
    ids: Sequence[int], log_probability: float, weights: Float[Tensor, "t L"], length_penalty: float | int = 0.0
) -> Hypothesis:
    return Hypothesis(list(ids), log_probability, log_probability / len(ids) ** length_penalty, weights)


def best_first(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Those that have ended, then the others, each by score. Equal ones keep their order."""
    return sorted(hypotheses, key=lambda one: (not one.ended, -one.score))


def log_probabilities(logits: Float[Tensor, "*n words"]) -> Float[Tensor, "*n words"]:
    """log p of each next word, and -inf for those that are never written."""
    return logits.log_softmax(dim=-1).index_fill(-1, torch.tensor(NEVER, device=logits.device), -torch.inf)


def take(of: Rows, index: Any) -> Rows:
    """The rows ``index`` of each tensor of ``Annotations`` or of a ``State``."""
    return type(of)(*(tensor[index] for tensor in of))


@torch.no_grad()
def greedy(model: Decoder, annotations: Float[Tensor, "n *image"], longest: int) -> list[Hypothesis]:
    """The most probable word at each step, for all images at once; at most ``longest`` words, <end> included."""
    check(1, longest, 0.0)
    projected = model.project(annotations)
    state = model.start(projected)
    image = torch.arange(len(annotations), device=annotations.device)  # the images whose captions have not ended
    words = torch.full_like(image, START)
    written: list[list[tuple[int, float, Tensor]]] = [[] for _ in range(len(annotations))]
    for _ in range(longest):
        if not len(image):
            break
        logits, state, weights = model.step(words, state, projected)  # (m, words), …, (m, L)
        log_p, words = log_probabilities(logits).max(dim=-1)  # each (m,); of equal ones, the smallest id
        for i, *word in zip(image.tolist(), words.tolist(), log_p.tolist(), weights, strict=True):
            written[i].append(tuple(word))
        if (words == END).any():
            runs = words != END
            image, words, state, projected = image[runs], words[runs], take(state, runs), take(projected, runs)
    columns = (zip(*caption, strict=True) for caption in written)
    return [hypothesis(ids, sum(log_p), torch.stack(weights)) for ids, log_p, weights in columns]


@torch.no_grad()
def beam_search_one(
    model: Decoder, annotations: Float[Tensor, "*image"], width: int, longest: int, length_penalty: float | int = 0.0
) -> list[Hypothesis]:
    """At most ``width`` captions of one image, the best first; in plain loops over hypotheses and words.

    Args:
        model: in evaluation mode; dropout would change the probabilities.
        width: hypotheses that are kept at each step.
        longest: the most words in a caption, with <end>.
        length_penalty: α.

    Raises:
        ValueError: if ``width`` or ``longest`` is below 1, or ``length_penalty`` below 0.
    """
    check(width, longest, length_penalty)
    projected = model.project(annotations[None])
    running, finished = [([START], 0.0, [], model.start(projected))], []  # ids, log p, attention, state
    for _ in range(longest):
        extended = []
        for ids, log_p, seen, state in running:
            logits, after, weights = model.step(torch.tensor(ids[-1:]), state, projected)
            for word, log_p_of_word in enumerate(logits[0].log_softmax(dim=-1).tolist()):
                if word not in NEVER and log_p_of_word > -math.inf:
                    extended.append(([*ids, word], log_p + log_p_of_word, [*seen, weights[0]], after))
        extended.sort(key=lambda one: -one[1])  # equal ones keep their order
        best = extended[: width - len(finished)]
        finished += [one for one in best if one[0][-1] == END]
        running = [one for one in best if one[0][-1] != END]
    return best_first(
        [hypothesis(ids[1:], log_p, torch.stack(seen), length_penalty) for ids, log_p, seen, _ in finished + running]
    )


def check(width: int, longest: int, length_penalty: float | int) -> None:
    for name, value, least in (("width", width, 1), ("longest", longest, 1), ("length_penalty", length_penalty, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
