"""Small captioners for tests, in float64."""

import torch
from torch import Tensor, nn

from show_attend_tell.model import Annotations, Captioner, State


def random_captioner(
    words: int, annotation: int, seed: int, attention: int | None = 4, scale: float = 1.0
) -> Captioner:
    """All weights are drawn at random, and so large that images and words matter."""
    generator = torch.Generator().manual_seed(seed)
    model = Captioner(words, annotation, embedding=3, hidden=5, attention=attention).double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=scale, generator=generator)
    return model


def random_annotations(n: int, places: int, annotation: int, seed: int) -> Tensor:
    return torch.randn(n, places, annotation, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Scripted(Captioner):
    """A model that says the same of every image: its table holds p(next word) after each word.

    ``rows`` notes how many images and how many hypotheses each step was asked for. After <start>, an image whose first
    annotation is k can only end after k words.
    """

    def __init__(self, table: dict[int, dict[int, float]], words: int = 8) -> None:
        nn.Module.__init__(self)  # it has no layers
        self.logits = torch.full((words, words), -torch.inf, dtype=torch.float64)
        self.logits[[word for word in range(words) if word not in table]] = 0.0  # behind <end>: any number
        for before, probabilities in table.items():
            for word, probability in probabilities.items():
                self.logits[before, word] = torch.tensor(probability, dtype=torch.float64).log()
        self.rows: list[tuple[int, ...]] = []

    def project(self, annotations: Tensor) -> Annotations:
        return Annotations(annotations, annotations[..., :0])

    def start(self, annotations: Annotations) -> State:
        zeros = annotations.vectors[..., 0, :1] * 0
        return State(zeros, zeros)

    def step(self, words: Tensor, state: State, annotations: Annotations) -> tuple[Tensor, State, Tensor]:
        self.rows.append(tuple(words.shape))
        counted = state.h + 1  # words that are written after this step
        last = annotations.vectors[..., 0, :1]  # (n, *beams, 1)
        logits = self.logits[words]
        end = torch.arange(logits.shape[-1]) == 2
        logits = logits.masked_fill(end & (last > counted), -torch.inf)
        weights = counted / (counted + torch.arange(annotations.vectors.shape[-2]).double())
        return logits, State(counted, state.c), weights
