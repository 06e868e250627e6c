"""The time of a training step beside the plainest loop: forward, loss, backward and AdamW.

The plainest loop is what a reader would write from the paper's equations, word by word: the annotations are projected
inside the step, the LSTM is ``torch.nn.LSTMCell``, and the output layer is applied in the step. It has the same weights
as ``Captioner``, and their losses and gradients are compared before the clock starts. Two candidates of ours:
``Captioner``, and its form in ``extensions/fast.py``.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lab.timing import Spread, alternately, ratios, shown, spread, table
from show_attend_tell.extensions.fast import faster
from show_attend_tell.loss import caption_loss
from show_attend_tell.model import Captioner
from show_attend_tell.report.bench_decode import ANNOTATION, HIDDEN, IMAGES, PLACES, WORDS

STEPS = 12  # words of a caption, <end> included
MUST, MOONSHOT = 1.5, 2.5  # times as fast as the plainest loop
OURS, FAST, PLAIN = "Captioner", "FastCaptioner", "plainest loop"


class Plain(nn.Module):
    """The plainest loop, with the weights of a ``Captioner``."""

    def __init__(self, model: Captioner) -> None:
        super().__init__()
        self.model = model
        self.cell = nn.LSTMCell(model.weight_x.shape[1], model.weight_h.shape[1])
        self.cell.weight_ih, self.cell.weight_hh, self.cell.bias_ih = model.weight_x, model.weight_h, model.bias
        nn.init.zeros_(self.cell.bias_hh)

    def forward(
        self, annotations: Float[Tensor, "n L D"], captions: Int[Tensor, "n t"]
    ) -> tuple[Float[Tensor, "n t-1 words"], Float[Tensor, "n t-1 L"]]:
        model = self.model
        mean = annotations.mean(dim=1)
        h, c = model.start_h(mean).tanh(), model.start_c(mean).tanh()
        logits, weights = [], []
        for t in range(captions.shape[1] - 1):
            word = model.embed(captions[:, t])
            hidden = (model.project_annotations(annotations) + model.project_state(h)[:, None]).tanh()  # (n, L, A)
            alpha = model.score(hidden)[..., 0].softmax(dim=1)  # (n, L)
            context = model.gate(h).sigmoid() * (alpha[..., None] * annotations).sum(dim=1)  # (n, D)
            h, c = self.cell(torch.cat([word, context], dim=1), (h, c))
            logits.append(model.output(model.dropout(word + model.from_hidden(h) + model.from_context(context))))
            weights.append(alpha)
        return torch.stack(logits, dim=1), torch.stack(weights, dim=1)


def training_step(model: nn.Module, annotations: Tensor, captions: Tensor) -> Callable[[], None]:
    """A step that changes next to nothing, so that all repetitions do the same work."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9, fused=True)

    def step() -> None:
        loss = caption_loss(model(annotations, captions)[0], captions[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def check_same(models: dict[str, nn.Module], annotations: Tensor, captions: Tensor) -> None:
    """Raises RuntimeError if the losses, or the gradients to all annotations, differ: then the work is not the same."""
    found = {}
    for name, model in models.items():
        leaf = annotations.clone().requires_grad_()
        loss = caption_loss(model(leaf, captions)[0], captions[:, 1:])
        found[name] = (loss.item(), torch.autograd.grad(loss, leaf)[0])
    loss, slope = found[PLAIN]
    for name, (other, slopes) in found.items():
        if abs(other - loss) > 1e-4 or (slopes - slope).norm() > 1e-3 * slope.norm():
            raise RuntimeError(f"{name} and {PLAIN} must have the same loss and gradient, got {other} and {loss}")


def measure(repetitions: int, images: int = IMAGES, hidden: int = HIDDEN, words: int = WORDS) -> tuple[str, dict]:
    """The table, and its numbers: milliseconds of each candidate, and how many times as fast ours are."""
    torch.manual_seed(0)
    model = Captioner(words, ANNOTATION, embedding=hidden, hidden=hidden, attention=hidden)
    models = {OURS: model, FAST: faster(model), PLAIN: Plain(model)}
    generator = torch.Generator().manual_seed(0)
    annotations = torch.randn(images, PLACES, ANNOTATION, generator=generator)
    captions = torch.randint(1, words, (images, STEPS + 1), generator=generator)
    check_same(models, annotations, captions)
    seconds = alternately({n: training_step(m, annotations, captions) for n, m in models.items()}, repetitions)
    rows = {
        "milliseconds": {name: spread([1000 * s for s in times])._asdict() for name, times in seconds.items()},
        "ratio": {name: ratios(seconds[PLAIN], seconds[name])._asdict() for name in (OURS, FAST)},
    }
    lines = [("training step", "times as fast", "ours (ms)", f"{PLAIN} (ms)", "must", "moonshot")]
    for name in (OURS, FAST):
        times = (f"{rows['milliseconds'][side]['median']:,.0f}" for side in (name, PLAIN))
        lines.append((name, shown(Spread(**rows["ratio"][name])), *times, f"≥ {MUST}", f"≥ {MOONSHOT}"))
    note = (
        f"{images} images, {PLACES} annotations of {ANNOTATION}, LSTM {hidden}, {words:,} words, captions of {STEPS} "
        f"words. {torch.get_num_threads()} threads."
    )
    return f"{table(lines)}\n\n{note}", rows
