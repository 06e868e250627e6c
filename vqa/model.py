r"""The model "deeper LSTM Q + norm I" (Antol et al. 2015, arXiv 1505.00468, section 5.2, fig. 8).

Two streams meet once. A convolutional network turns the picture into one vector of fixed length; a two-layer LSTM turns
the question into its final cell and hidden states. Each goes through a linear layer and tanh into one common space,
the two are multiplied pointwise, and a linear classifier reads the answer off the product.

What differs from the paper, and why:

- The paper's picture stream is VGGNet, trained on ImageNet and frozen. Ours is a small network that says, at each place
  of a coarse grid, how much of a thing's centre is there and how likely each name is. On the toy world it is taught
  that first (``beyond/lessons.py``) and then frozen; on other data it learns with the rest. The grid is pooled into
  sums and first moments, because a toy question may ask how many there are, and where.
- "Norm I": a constant entry stands behind the sums before they are normalised, so that the amount is not lost, and the
  vector gets the length ``CONSTANT``. With a length of 1 the loss hardly falls in the first steps.
- The text describes fully connected layers of 1,000 tanh units before the softmax; the authors' code has one linear
  layer, as here.
- The LSTM and the two projections begin with larger weights than PyTorch's, see ``QuestionStream``.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pack_padded_sequence

FUSIONS = ("product", "sum", "concat")
STREAMS = ("both", "question", "image")
CONSTANT = 10.0  # about twice as long as the pooled vector of the first weights


def lstm_cell(
    x: Float[Tensor, "n input"],
    h: Float[Tensor, "n hidden"],
    c: Float[Tensor, "n hidden"],
    weight_x: Float[Tensor, "4*hidden input"],
    weight_h: Float[Tensor, "4*hidden hidden"],
    bias: Float[Tensor, " 4*hidden"],
) -> tuple[Float[Tensor, "n hidden"], Float[Tensor, "n hidden"]]:
    r"""One step of an LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    .. math::
        i, f, o &= \sigma(W_{i,f,o}\, x_t + U_{i,f,o}\, h_{t-1} + b_{i,f,o}), \qquad
        g = \tanh(W_g\, x_t + U_g\, h_{t-1} + b_g) \\
        c_t &= f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh(c_t)

    The rows of the weights hold i, f, g, o, in the order of ``torch.nn.LSTM``. Returns (h, c).
    """
    i, f, g, o = (x @ weight_x.T + h @ weight_h.T + bias).chunk(4, dim=-1)  # each (n, hidden)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()  # c_t: what is kept, and what is new
    return o.sigmoid() * c.tanh(), c  # h_t: what is shown


def lstm_states_spec(
    lstm: nn.LSTM, x: Float[Tensor, "n t input"], lengths: Int[Tensor, " n"]
) -> Float[Tensor, "n states"]:
    r"""The final states of all layers, :math:`[c_1, h_1, c_2, h_2]`, in loops over sequences, layers and words."""
    n = len(x)  # sequences, each of at most t words
    rows = []
    for row in range(n):
        inputs, states = x[row, : int(lengths[row])], []  # a sequence ends with its own last word
        for layer in range(lstm.num_layers):
            weight_x, weight_h, bias_x, bias_h = (
                getattr(lstm, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h = c = x.new_zeros(1, lstm.hidden_size)
            outputs = []
            for word in inputs:
                h, c = lstm_cell(word[None], h, c, weight_x, weight_h, bias_x + bias_h)
                outputs.append(h[0])
            inputs = outputs  # the second layer reads what the first one shows
            states += [c[0], h[0]]
        rows.append(torch.cat(states))
    return torch.stack(rows)  # (n, 2 * layers * hidden)


def lstm_states(lstm: nn.LSTM, x: Float[Tensor, "n t input"], lengths: Int[Tensor, " n"]) -> Float[Tensor, "n states"]:
    r"""``lstm_states_spec`` through ``torch.nn.LSTM``; packing makes each sequence end with its own last word."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    _, (h, c) = lstm(packed)  # each (layers, n, hidden)
    return torch.stack([c, h], dim=1).flatten(0, 1).transpose(0, 1).flatten(1)  # (n, layers * 2 * hidden)


class QuestionStream(nn.Module):
    """Embedding, tanh, a two-layer LSTM; the question's vector is the final cell and hidden state of both layers.

    With PyTorch's initial weights the final states of any two questions are nearly the same, the product cannot tell
    them apart, and the loss waits at that of guessing. So the LSTM's weights begin three times as large.
    """

    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding, padding_idx=0)
        self.lstm = nn.LSTM(embedding, hidden, num_layers=2, batch_first=True)
        self.features = 4 * hidden
        with torch.no_grad():
            for weight in self.lstm.parameters():
                weight *= 3

    def forward(self, questions: Int[Tensor, "n t"]) -> Float[Tensor, "n features"]:
        """``questions`` holds numbers of words, padded with 0 at the end; each question has at least one word."""
        asked, which = questions.unique(dim=0, return_inverse=True)  # what is asked several times is read once
        return lstm_states(self.lstm, self.embed(asked).tanh(), (asked != 0).sum(dim=1))[which]


def pool(grid: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3*c"]:
    r"""What a grid of features says as a whole: how much there is of each, and where.

    For each channel the sum :math:`\sum_{y,x} f_{yx}` and the first moments :math:`\sum_{y,x} u_x f_{yx}` and
    :math:`\sum_{y,x} u_y f_{yx}`, with u from −1 at the left and top to 1 at the right and bottom of the grid.
    """
    h, w = grid.shape[2:]
    across, down = (torch.linspace(-1, 1, side, dtype=grid.dtype, device=grid.device) for side in (w, h))
    columns, rows = grid.sum(dim=2), grid.sum(dim=3)  # (n, c, w) and (n, c, h)
    return torch.cat([rows.sum(dim=2), columns @ across, rows @ down], dim=1)


class ImageStream(nn.Module):
    r"""A small convolutional network that sees things at places, pooled to one vector of fixed length.

    *Form* sees how far each pixel is from the ground, and not in which direction: its convolutions, 3×3 with 2×2
    max-pooling between them, learn shapes that hold for every colour. Squares of fold×fold pixels are packed into its
    channels first: nothing is lost, and the convolutions run on fewer places. *Colour* sees means of fold×fold pixels
    through a 1×1 convolution, and keeps the largest response in each place of the grid.

    On the grid, where the two meet, each place says how much of a thing's centre it holds (objectness, o) and what the
    thing is like: for each attribute a distribution :math:`p` over its names. A 1×1 convolution reads
    :math:`o\,[1, p_1, p_2, \dots]`, and its rectifier can ask for two names at once, "red and a star", which no linear
    map can say once it is pooled. It has no bias: a thing shared among places that call it the same counts once.
    """

    def __init__(
        self, form: Sequence[int], colour: int, attributes: Sequence[int], top: int, fold: int, ground: float
    ) -> None:
        """``attributes`` holds for each attribute the number of its names, such as 8 colours and 6 shapes."""
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(fold)]
        for k, (width, out) in enumerate(zip((fold**2, *form), form, strict=False)):
            layers += [nn.MaxPool2d(2)] if k else []
            layers += [nn.Conv2d(width, out, 3, padding="same"), nn.ReLU(inplace=True)]
        self.form = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        shrink = 2 ** (len(form) - 1)
        self.colour = nn.Sequential(
            nn.AvgPool2d(fold), nn.Conv2d(3, colour, 1), nn.ReLU(inplace=True), nn.MaxPool2d(shrink)
        )
        self.detector = nn.Conv2d(form[-1] + colour, 1 + sum(attributes), 1)
        self.combine = nn.Conv2d(1 + sum(attributes), top, 1, bias=False)
        self.attributes, self.ground = tuple(attributes), ground  # ground: the pixel value that counts as nothing
        self.features = 3 * top + 1
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        with torch.no_grad():  # a channel begins with half of the attributes: some count reds, some ask for red stars
            begins = (torch.rand(top, len(attributes)) < 0.5).repeat_interleave(torch.tensor(attributes), dim=1)
            self.combine.weight[:, 0] = 0
            self.combine.weight[:, 1:] *= begins[:, :, None, None]

    def freeze(self) -> None:
        """From here on, what sees stays as it is, like the paper's VGGNet; what stands on top of it still learns."""
        for part in (self.form, self.colour, self.detector):
            part.requires_grad_(False)

    def detect(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m channels rows columns"]:
        """Logits at each place of the grid, in 1 + all names channels: objectness, then the names of each attribute."""
        shifted = images - self.ground  # near 0 where nothing is
        distance = shifted.square().sum(dim=1, keepdim=True).sqrt()  # (m, 1, h, w)
        figure = (4 * distance).tanh()  # near 1 where something is
        return self.detector(torch.cat([self.form(figure), self.colour(3 * shifted)], dim=1))

    def describe(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m channels rows columns"]:
        """Objectness, then objectness times the probability of each name; ``images`` has values from 0 to 1."""
        centre, *names = self.detect(images).split([1, *self.attributes], dim=1)
        objectness = centre.sigmoid()  # (m, 1, rows, columns)
        return torch.cat([objectness, *(objectness * logits.softmax(dim=1) for logits in names)], dim=1)

    def forward(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m features"]:
        """One vector a picture, of the same length for all: the paper's "norm I".

        The last entry is the same for all pictures before the normalisation. Without it two stars would look like one.
        """
        pooled = pool(self.combine(self.describe(images)).relu())  # (m, 3*top)
        constant = pooled.new_full((len(pooled), 1), CONSTANT)
        return normalize(torch.cat([pooled, constant], dim=1), dim=-1) * CONSTANT


class VQA(nn.Module):
    r"""Both streams into one common space, fused, and classified.

    .. math:: z = \tanh(W_q\, q + b_q) \odot \tanh(W_v\, v + b_v), \qquad \text{logits} = W_a\, z + b_a

    ``fusion`` puts a sum or a concatenation in the place of the product; both give logits :math:`f(q) + g(v)`. A
    concatenation is narrower, so that all three have the same number of parameters (to within one unit of that space).
    ``streams`` leaves one side out.

    Raises:
        ValueError: if ``fusion`` is not one of ``FUSIONS``, or ``streams`` not one of ``STREAMS``.
    """

    def __init__(
        self,
        question_stream: nn.Module,
        image_stream: nn.Module,
        answers: int,
        common: int = 1024,
        dropout: float = 0.5,
        fusion: str = "product",
        streams: str = "both",
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}, got {fusion!r}")
        if streams not in STREAMS:
            raise ValueError(f"streams must be one of {', '.join(STREAMS)}, got {streams!r}")
        inputs = question_stream.features + image_stream.features
        width = common if fusion != "concat" else round(common * (inputs + 2 + answers) / (inputs + 2 + 2 * answers))
        self.question_stream, self.image_stream = question_stream, image_stream
        self.from_question = nn.Linear(question_stream.features, width)
        self.from_image = nn.Linear(image_stream.features, width)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * width if fusion == "concat" else width, answers)
        self.fusion, self.streams = fusion, streams
        with torch.no_grad():  # both sides of the product begin with entries of about one half
            self.from_question.weight *= 8
            self.from_image.weight *= 4

    def forward(self, images: Float[Tensor, "m 3 h w"], questions: Int[Tensor, "n t"]) -> Float[Tensor, "n answers"]:
        """Logits of n questions about m pictures, n/m in a row about each.

        Raises:
            ValueError: if m does not divide n.
        """
        m, n = len(images), len(questions)
        if m == 0 or n % m:
            raise ValueError(f"the number of questions must be a multiple of that of images, got {n} for {m}")
        q = v = None
        if self.streams != "image":
            q = self.from_question(self.question_stream(questions)).tanh()  # (n, width)
        if self.streams != "question":
            v = self.from_image(self.image_stream(images)).tanh().repeat_interleave(n // m, dim=0)  # (n, width)
        return self.classify(self.dropout(fuse(q, v, self.fusion)))


def fuse(q: Float[Tensor, "n d"] | None, v: Float[Tensor, "n d"] | None, fusion: str) -> Float[Tensor, "n fused"]:
    """Pointwise product, pointwise sum or concatenation; a stream that is None leaves the other one alone."""
    if q is None or v is None:
        alone = v if q is None else q
        return alone if fusion != "concat" else torch.cat([alone, torch.zeros_like(alone)], dim=-1)
    if fusion == "product":
        return q * v  # z_i = q_i v_i
    if fusion == "sum":
        return q + v
    return torch.cat([q, v], dim=-1)
