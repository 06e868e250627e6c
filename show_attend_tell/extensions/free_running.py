r"""One model, judged in two ways: with the true words before each word, and with its own (Bengio et al. 2015,
arXiv 1506.03099, section 2).

Training is *teacher forcing*: the word y_t is predicted from the true words y_1 … y_{t-1}. When a caption is written,
there are no true words, and the model reads what it wrote itself: *free running*. After an error it is in a state that
it has never seen in training, and the next words suffer too. The loss of training does not show that.

One scene has several true captions ("there is …", "you can see …"), and a model can only write one of them. So of all
true captions of an image, the one with the smallest free-running loss counts, in both ways.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from show_attend_tell.data import toy_caption
from show_attend_tell.loss import PAD
from toyworld.rng import Rng
from toyworld.scenes import Scene

START = 1  # token id
DRAWN = 200  # captions of a scene; a scene has 4 different ones in English, and 17 in Korean
MEASURES = ("teacher-forced loss", "free-running loss", "teacher-forced words", "free-running words")


def wordings(scenes: Iterable[Scene], language: str) -> list[list[str]]:
    """The true captions of each scene, as many for each: where there are fewer, some come twice."""
    found = [sorted({toy_caption(scene, language, Rng(f"wording/{k}")) for k in range(DRAWN)}) for scene in scenes]
    most = max(map(len, found))
    return [[captions[k % len(captions)] for k in range(most)] for captions in found]


@torch.no_grad()
def run_freely(
    model: nn.Module, annotations: Float[Tensor, "n *image"], length: int
) -> Float[Tensor, "n {length} words"]:
    """The logits of ``length`` words. The input of each step is the most probable word of the step before."""
    projected = model.project(annotations)
    state = model.start(projected)
    words, seen = torch.full((len(annotations),), START, device=annotations.device), []
    for _ in range(length):
        logits, state, _ = model.step(words, state, projected)
        words = logits.argmax(dim=-1)
        seen.append(logits)
    return torch.stack(seen, dim=1)


@torch.no_grad()
def forced_and_free(
    model: nn.Module, annotations: Float[Tensor, "n *image"], captions: Int[Tensor, "n several t"]
) -> dict[str, float]:
    """``MEASURES``: the mean loss in nats per word, and the share of right words, in both ways.

    Each is a mean over captions, one of each image.
    """
    model_mode = model.training
    model.eval()
    targets = captions[..., 1:]
    forced, _ = model(annotations, captions)  # (n, several, t-1, words)
    free = run_freely(model, annotations, targets.shape[-1])[:, None].expand_as(forced)
    model.train(model_mode)
    is_word = targets != PAD  # (n, several, t-1)
    found = []
    for logits in (forced, free):
        nats = cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none").view(targets.shape)
        right = logits.argmax(dim=-1) == targets
        found.append([(x * is_word).sum(dim=-1) / is_word.sum(dim=-1) for x in (nats, right)])  # (n, several)
    nearest = found[1][0].argmin(dim=1, keepdim=True)  # (n, 1)
    means = [found[way][what].gather(1, nearest).mean().item() for what in (0, 1) for way in (0, 1)]
    return dict(zip(MEASURES, means, strict=True))
