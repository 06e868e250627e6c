r"""The model "deeper LSTM Q + norm I" (Antol et al. 2015, arXiv 1505.00468, section 5.2, fig. 8).

Two encoders are combined. An image encoder gives one vector for an image, scaled to a fixed length. A two-layer LSTM
gives one vector for a question: its final cell and hidden states. Each goes through a linear layer and tanh into a
common space. The two are multiplied pointwise. From the product, a linear classifier computes the answers' logits.

What differs from the paper, and why:

- The paper's image features are VGGNet's last hidden layer, precomputed. Ours are in ``encoders.py``.
- "Norm I" scales to the length ``LENGTH`` and not to 1. With length 1 the loss hardly falls in the first steps.
- The text describes fully connected layers of 1,000 tanh units before the softmax. The authors' code has one linear
  layer, as here.
- The first weights of the LSTM and of both linear layers are larger than PyTorch's. With PyTorch's own, the final
  states of any two questions are nearly the same, and the loss stays at that of guessing.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pack_padded_sequence

FUSIONS = ("product", "sum", "concat")
INPUTS = ("both", "question", "image")
LENGTH = 10.0  # of each image's vector


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
    return o.sigmoid() * c.tanh(), c  # h_t: the part of c_t that others read


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
            inputs = outputs  # the next layer reads the hidden states of this one
            states += [c[0], h[0]]
        rows.append(torch.cat(states))
    return torch.stack(rows)  # (n, 2 * layers * hidden)


def lstm_states(lstm: nn.LSTM, x: Float[Tensor, "n t input"], lengths: Int[Tensor, " n"]) -> Float[Tensor, "n states"]:
    r"""``lstm_states_spec`` through ``torch.nn.LSTM``; packing makes each sequence end with its own last word."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    _, (h, c) = lstm(packed)  # each (layers, n, hidden)
    return torch.stack([c, h], dim=1).flatten(0, 1).transpose(0, 1).flatten(1)  # (n, layers * 2 * hidden)


class QuestionEncoder(nn.Module):
    """Embedding, tanh, a two-layer LSTM. The question's vector holds the final cell and hidden state of both layers.

    Args:
        words: how many token ids there are, the padding included.
        embedding: dimensions of a word's vector.
        hidden: dimensions of each layer. The question's vector has four times as many (``features``).
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
        """``questions`` holds token ids, padded with 0 at the end; each question has at least one word."""
        return lstm_states(self.lstm, self.embed(questions).tanh(), (questions != 0).sum(dim=1))


def norm_i(features: Float[Tensor, "m d"]) -> Float[Tensor, "m d"]:
    r""" "Norm I": :math:`k f / \lVert f \rVert_2`. The vectors of all images have the same length k (``LENGTH``)."""
    return LENGTH * normalize(features, dim=-1)  # each row is one image


def fuse(q: Float[Tensor, "n d"], v: Float[Tensor, "n d"], fusion: str) -> Float[Tensor, "n fused"]:
    r"""The paper's pointwise product :math:`z = q \odot v`; a sum or a concatenation, to compare with it.

    Raises:
        ValueError: if ``fusion`` is not one of ``FUSIONS``.
    """
    check_one_of(FUSIONS, fusion=fusion)
    if fusion == "product":
        return q * v  # z_i = q_i v_i
    if fusion == "sum":
        return q + v
    return torch.cat([q, v], dim=-1)


def check_one_of(allowed: tuple[str, ...], **choices: str) -> None:
    for name, choice in choices.items():
        if choice not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {choice!r}")


class VQA(nn.Module):
    r"""Both encoders into one common space, fused, and classified.

    .. math:: z = \tanh(W_q\, q + b_q) \odot \tanh(W_v\, v + b_v), \qquad \text{logits} = W_a\, z + b_a

    Args:
        question_encoder: gives n vectors; its ``features`` is their length, 2048 in the paper.
        image_encoder: gives m vectors; its ``features`` is their length, 4096 in the paper.
        answers: how many answers there are to choose from, 1000 in the paper.
        common: dimensions of the common space. A concatenation gets fewer, so that all fusions have the same number of
            parameters (to within one unit of that space).
        dropout: share of the entries of z that are set to 0 in training.
        fusion: one of ``FUSIONS``.
        inputs: one of ``INPUTS``. With ``"question"`` or ``"image"``, z is that side alone, as in the rows
            "deeper LSTM Q" and "I" of the paper's table 2.

    Raises:
        ValueError: if ``fusion`` or ``inputs`` is not one of these.
    """

    def __init__(
        self,
        question_encoder: nn.Module,
        image_encoder: nn.Module,
        answers: int,
        common: int = 1024,
        dropout: float = 0.5,
        fusion: str = "product",
        inputs: str = "both",
    ) -> None:
        super().__init__()
        check_one_of(FUSIONS, fusion=fusion)
        check_one_of(INPUTS, inputs=inputs)
        features = question_encoder.features + image_encoder.features
        if fusion == "concat":
            common = round(common * (features + 2 + answers) / (features + 2 + 2 * answers))
        self.question_encoder, self.image_encoder = question_encoder, image_encoder
        self.from_question = nn.Linear(question_encoder.features, common)
        self.from_image = nn.Linear(image_encoder.features, common)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * common if fusion == "concat" and inputs == "both" else common, answers)
        self.fusion, self.inputs = fusion, inputs
        with torch.no_grad():  # then tanh(W_q q + b_q) and tanh(W_v v + b_v) have entries of about ±1/2 at the start
            self.from_question.weight *= 8
            self.from_image.weight *= 4

    def forward(
        self, images: Float[Tensor, "m c h w"], questions: Int[Tensor, "n t"], image_of: Int[Tensor, " n"]
    ) -> Float[Tensor, "n answers"]:
        """Logits of n questions about m images; question k is about image ``image_of[k]``."""
        if self.inputs == "question":
            z = self.question_side(questions)
        elif self.inputs == "image":
            z = self.image_side(images)[image_of]
        else:
            z = fuse(self.question_side(questions), self.image_side(images)[image_of], self.fusion)
        return self.classify(self.dropout(z))

    def question_side(self, questions: Int[Tensor, "n t"]) -> Float[Tensor, "n common"]:
        different, index = questions.unique(dim=0, return_inverse=True)  # (n_different, t); the LSTM reads each once
        return self.from_question(self.question_encoder(different)).tanh()[index]  # tanh(W_q q + b_q)

    def image_side(self, images: Float[Tensor, "m c h w"]) -> Float[Tensor, "m common"]:
        return self.from_image(norm_i(self.image_encoder(images))).tanh()  # tanh(W_v v + b_v)
