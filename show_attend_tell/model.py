r"""The decoder of "Show, Attend and Tell" (Xu et al. 2015, arXiv 1502.03044, sections 3.1.2 and 4.2): soft attention.

An image is a set of annotation vectors a_1 … a_L, one for each place. An LSTM writes the caption word by word. Before
the word y_t, an attention network compares each annotation with the previous state h_{t-1}. It gives the weights
α_t1 … α_tL, whose sum is 1. The context z_t is the mean of the annotations with these weights. The LSTM reads the word
y_{t-1} and the context, and the deep output layer computes the probabilities of y_t.

Without attention (``attention=None``) the model is that of "Show and Tell" (Vinyals et al. 2015, arXiv 1411.4555,
section 3.1). The LSTM reads the image once, as if it were a word before the first one. After that, it gets no context.

What differs from the papers, and why:

- The authors' code has a tanh before L_o, which equation 7 does not have. Here it is as in the equation.
- The authors' code drops entries of h_t too. Here dropout is at one place, before L_o.
- The initial states are one linear layer and tanh of the mean annotation. The paper says "MLP". The authors' script for
  COCO has two layers there, and in f_att too.
- The first input is a learned vector, that of <start>. In the authors' code it is zero.
- "Show and Tell" begins with CNN(I), one vector for the image. Here it is a linear map of the mean annotation, so that
  both models see the same features. Its words are predicted through the deep output layer too, without the context.
- "Show and Tell" has no tanh before the output gate (its equation 8). Here both models have the same cell.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class Annotations(NamedTuple):
    """The annotation vectors of n images, and what the attention network needs of them; computed once per image."""

    vectors: Float[Tensor, "n *beams L D"]  # a_i
    projected: Float[Tensor, "n *beams L A"]  # W_a a_i + b; A = 0 without attention

    def shared(self) -> "Annotations":
        """The same, with an axis of size 1 after n: for several captions, or several hypotheses, of each image."""
        return Annotations(self.vectors[:, None], self.projected[:, None])


class State(NamedTuple):
    """What the LSTM keeps between two words."""

    h: Float[Tensor, "n *beams H"]  # the hidden state, which the other layers read
    c: Float[Tensor, "n *beams H"]  # the memory cell


def lstm_cell(
    x: Float[Tensor, "*n inputs"],
    h: Float[Tensor, "*n H"],
    c: Float[Tensor, "*n H"],
    weight_x: Float[Tensor, "4*H inputs"],
    weight_h: Float[Tensor, "4*H H"],
    bias: Float[Tensor, " 4*H"],
) -> tuple[Float[Tensor, "*n H"], Float[Tensor, "*n H"]]:
    r"""Equations 1 to 3, one step of an LSTM. Its input x is the word and the context, :math:`[E y_{t-1}, \hat z_t]`.

    .. math::
        (i_t, f_t, o_t, g_t) &= (\sigma, \sigma, \sigma, \tanh)\; T\, [E y_{t-1}, h_{t-1}, \hat z_t] \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

    The rows of the weights hold i, f, g, o, in the order of ``torch.nn.LSTMCell``. Returns (h, c).
    """
    i, f, g, o = (x @ weight_x.T + h @ weight_h.T + bias).chunk(4, dim=-1)  # each (*n, H)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()  # c_t: what is kept, and what is new
    return o.sigmoid() * c.tanh(), c  # h_t: the part of c_t that others read


def attend(scores: Float[Tensor, "*n L"]) -> Float[Tensor, "*n L"]:
    r"""Equation 5: :math:`\alpha_{ti} = \exp(e_{ti}) / \sum_k \exp(e_{tk})`, over the places of one image."""
    return scores.softmax(dim=-1)


def soft_attention(
    weights: Float[Tensor, "n *beams L"], vectors: Float[Tensor, "n *#beams L D"]
) -> Float[Tensor, "n *beams D"]:
    r"""Equation 13, section 4.2: the expected context :math:`\mathbb E[\hat z_t] = \sum_i \alpha_{ti}\, a_i`."""
    return torch.einsum("...l,...ld->...d", weights, vectors)


class Captioner(nn.Module):
    r"""Captions of images: next-word logits, with the attention that belongs to each word.

    Args:
        vocabulary_size: number of token ids, with the special ones.
        annotation: D, the length of an annotation vector; 512 in the paper.
        embedding: m, the length of a word's vector.
        hidden: the length of the LSTM's states.
        attention: hidden units of the attention network; None for "Show and Tell", which has no attention.
        dropout: share of entries that are set to 0 in training, before the last layer.
        encoder: turns images into annotations, and learns with the rest. None if the annotations are computed before,
            by a frozen network, as in the paper.
    """

    def __init__(
        self,
        vocabulary_size: int,
        annotation: int,
        embedding: int,
        hidden: int,
        attention: int | None,
        dropout: float = 0.0,
        encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        context = 0 if attention is None else annotation  # length of the context in the LSTM's input
        self.has_attention = attention is not None
        self.embed = nn.Embedding(vocabulary_size, embedding)  # E
        self.weight_x = nn.Parameter(torch.empty(4 * hidden, embedding + context))
        self.weight_h = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(4 * hidden))
        for parameter in (self.weight_x, self.weight_h, self.bias):
            nn.init.uniform_(parameter, -(hidden**-0.5), hidden**-0.5)  # as torch.nn.LSTMCell
        self.from_hidden = nn.Linear(hidden, embedding, bias=False)  # L_h
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(embedding, vocabulary_size)  # L_o
        if attention is None:
            self.show = nn.Linear(annotation, embedding)  # the image as the first word
            return
        self.start_h, self.start_c = nn.Linear(annotation, hidden), nn.Linear(annotation, hidden)  # f_init
        self.project_annotations = nn.Linear(annotation, attention)  # W_a and b of f_att
        self.project_state = nn.Linear(hidden, attention, bias=False)  # W_h of f_att
        self.score = nn.Linear(attention, 1, bias=False)  # w of f_att
        self.gate = nn.Linear(hidden, 1)  # f_beta
        self.from_context = nn.Linear(annotation, embedding, bias=False)  # L_z

    def project(self, annotations: Float[Tensor, "n L D"] | Float[Tensor, "n 3 h w"]) -> Annotations:
        """The part of f_att that does not depend on the state. It is the same for all words, so it is computed once.

        With an ``encoder``, the argument is what the encoder reads.
        """
        if self.encoder is not None:
            annotations = self.encoder(annotations)  # (n, L, D)
        if not self.has_attention:
            return Annotations(annotations, annotations[..., :0])
        return Annotations(annotations, self.project_annotations(annotations))

    def start(self, annotations: Annotations) -> State:
        r"""Section 3.1.2: :math:`c_0 = f_{init,c}(\frac1L \sum_i a_i)`, :math:`h_0 = f_{init,h}(\frac1L \sum_i a_i)`.

        "Show and Tell", equations 10 to 12: the states after the image, which the LSTM reads as a word before <start>.
        """
        mean = annotations.vectors.mean(dim=-2)  # (n, *beams, D)
        if self.has_attention:
            return State(self.start_h(mean).tanh(), self.start_c(mean).tanh())
        zeros = mean.new_zeros(*mean.shape[:-1], self.weight_h.shape[1])
        return State(*lstm_cell(self.show(mean), zeros, zeros, self.weight_x, self.weight_h, self.bias))

    def scores(self, h: Float[Tensor, "n *beams H"], annotations: Annotations) -> Float[Tensor, "n *beams L"]:
        r"""Equation 4: :math:`e_{ti} = f_{att}(a_i, h_{t-1})`, here :math:`w^\top \tanh(W_a a_i + W_h h_{t-1} + b)`."""
        return self.score((annotations.projected + self.project_state(h)[..., None, :]).tanh())[..., 0]

    def look(
        self, h: Float[Tensor, "n *beams H"], annotations: Annotations
    ) -> tuple[Float[Tensor, "n *beams context"], Float[Tensor, "n *beams L"]]:
        r"""Equation 6: :math:`\hat z_t = \phi(\{a_i\}, \{\alpha_{ti}\}) = \beta_t \sum_i \alpha_{ti}\, a_i`; and α_t.

        Section 4.2.1: :math:`\beta_t = \sigma(f_\beta(h_{t-1}))`, one number, says how much the image matters now.
        Without attention the context is empty, and all places have the same weight.
        """
        if not self.has_attention:
            places = annotations.vectors.shape[-2]
            return h[..., :0], h.new_full((*h.shape[:-1], places), 1 / places)
        weights = attend(self.scores(h, annotations))  # (n, *beams, L)
        return self.gate(h).sigmoid() * soft_attention(weights, annotations.vectors), weights

    def deep_output(
        self, embedded: Float[Tensor, "*n m"], h: Float[Tensor, "*n H"], context: Float[Tensor, "*n context"]
    ) -> Float[Tensor, "*n words"]:
        r"""Equation 7: :math:`p(y_t) \propto \exp(L_o(E y_{t-1} + L_h h_t + L_z \hat z_t))`, the logits of y_t."""
        summed = embedded + self.from_hidden(h)
        if self.has_attention:
            summed = summed + self.from_context(context)
        return self.output(self.dropout(summed))

    def advance(
        self, embedded: Float[Tensor, "n *beams m"], state: State, annotations: Annotations
    ) -> tuple[State, Float[Tensor, "n *beams context"], Float[Tensor, "n *beams L"]]:
        """Looks with h_{t-1}, then reads the word y_{t-1} and what it saw; returns the next state, context, weights."""
        context, weights = self.look(state.h, annotations)
        x = torch.cat([embedded, context], dim=-1)  # (n, *beams, m + D)
        return State(*lstm_cell(x, *state, self.weight_x, self.weight_h, self.bias)), context, weights

    def step(
        self, token_ids: Int[Tensor, "n *beams"], state: State, annotations: Annotations
    ) -> tuple[Float[Tensor, "n *beams words"], State, Float[Tensor, "n *beams L"]]:
        """One word further: from the token ids y_{t-1} to the logits of y_t, the new state, and the weights α_t."""
        embedded = self.embed(token_ids)
        state, context, weights = self.advance(embedded, state, annotations)
        return self.deep_output(embedded, state.h, context), state, weights

    def forward(
        self, annotations: Float[Tensor, "n L D"] | Float[Tensor, "n 3 h w"], captions: Int[Tensor, "n *several t"]
    ) -> tuple[Float[Tensor, "n *several t-1 words"], Float[Tensor, "n *several t-1 L"]]:
        """Teacher forcing: the input is the true words. Row t reads the ids captions[…, t]; it has the logits of
        captions[…, t + 1], and the attention for that word. A caption is <start>, words, <end>, padding. An image may
        have several captions, in one more axis."""
        projected = self.project(annotations)
        state, embedded = self.start(projected), self.embed(captions[..., :-1])  # (n, *several, t-1, m)
        if captions.dim() == 3:  # several captions of each image, which begin with the same state
            projected = projected.shared()
            state = State(*(part[:, None].expand(-1, captions.shape[1], -1) for part in state))
        seen = []
        for word in embedded.unbind(dim=-2):
            state, context, weights = self.advance(word, state, projected)
            seen.append((state.h, context, weights))
        h, context, weights = (torch.stack(steps, dim=-2) for steps in zip(*seen, strict=True))  # (n, *several, t-1, …)
        return self.deep_output(embedded, h, context), weights
