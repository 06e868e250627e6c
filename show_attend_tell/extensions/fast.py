r"""The same numbers as ``Captioner`` with soft attention, computed faster: for training, and for decoding.

Nearly all the time is in products of matrices, and in the tanh of the attention network, which is taken for every word
and every place. What is done about it:

- tanh(x + y) = 1 − 2 / (1 + e^{2x} e^{2y}). x comes from an annotation and y from a state, so the exponentials are
  computed once for each. For each pair there are left a product, a sum and a reciprocal. (Both exponents are kept
  within ±40. Beyond, tanh is 1 to the last digit, unless two such numbers cancel.)
- The word's part of the gates, W E y_{t-1}, does not depend on the state. In training it is one product for all words
  of a batch. For decoding it is a table with a row for each word of the vocabulary.
- What is read from h_{t-1} is one product: for the gates, for the attention network, and for β.
- The backward pass through time is written out. So the gradient of each weight is one product over all words, and not
  one for each word, and sums over words are made in place.

``Captioner`` is the form to read. Tests compare both, with all gradients.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear

from show_attend_tell.decode import Decoder
from show_attend_tell.model import Annotations, Captioner, State

LARGEST = 40.0  # of the exponents: e^40 · e^40 is still a float32
CHUNK = 2**17  # numbers that the attention network works on at a time, so that they stay in the cache


def exponential(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """e^{2x}."""
    return (2 * x).clamp(-LARGEST, LARGEST).exp()


def reciprocals(
    e_x: Float[Tensor, "n #beams L A"], e_y: Float[Tensor, "n beams 1 A"]
) -> Iterator[tuple[slice, Float[Tensor, "m beams L A"]]]:
    """1 / (1 + e^{2x} e^{2y}), a few images at a time: which images, and their numbers."""
    images = max(1, CHUNK // (e_y[0].numel() * e_x.shape[-2]))
    one = e_x.new_ones(())
    for some in range(0, len(e_x), images):
        rows = slice(some, some + images)
        yield rows, torch.addcmul(one, e_x[rows], e_y[rows]).reciprocal_()


class FastCaptioner(Captioner):
    """A ``Captioner`` with soft attention and the same parameters, whose training step is faster."""

    def forward(
        self, annotations: Float[Tensor, "n ..."], captions: Int[Tensor, "n *several t"]
    ) -> tuple[Float[Tensor, "n *several t-1 words"], Float[Tensor, "n *several t-1 L"]]:
        projected = self.project(annotations)
        state = self.start(projected)
        several = captions.shape[1:-1]
        ids = captions.view(len(captions), -1, captions.shape[-1])  # (n, k, t): k is 1 if there is no such axis
        embedded = self.embed(ids[..., :-1])  # (n, k, t-1, m)
        m = embedded.shape[-1]
        from_word, from_context = self.weight_x.split([m, self.weight_x.shape[1] - m], dim=1)
        of_words = linear(embedded, from_word, self.bias)  # (n, k, t-1, 4H)
        from_state = torch.cat([self.weight_h, self.project_state.weight, self.gate.weight])  # (4H + A + 1, H)
        h, c = (part[:, None].expand(-1, ids.shape[1], -1) for part in state)
        h, context, weights = Unrolled.apply(
            of_words, *projected, h, c, from_state, self.gate.bias, from_context, self.score.weight[0]
        )
        results = self.deep_output(embedded, h, context), weights  # each (n, k, t-1, …)
        logits, weights = (x.view(len(captions), *several, *x.shape[2:]) for x in results)
        return logits, weights


class Unrolled(torch.autograd.Function):
    """All words of ``Captioner.advance``, and the way back. Axes: n images, k captions of each, t words, L places."""

    @staticmethod
    def forward(
        ctx,
        of_words: Float[Tensor, "n k t gates"],
        vectors: Float[Tensor, "n L D"],
        projected: Float[Tensor, "n L A"],
        h: Float[Tensor, "n k H"],
        c: Float[Tensor, "n k H"],
        from_state: Float[Tensor, "read H"],
        gate_bias: Float[Tensor, " 1"],
        from_context: Float[Tensor, "gates D"],
        score: Float[Tensor, " A"],
    ) -> tuple[Float[Tensor, "n k t H"], Float[Tensor, "n k t D"], Float[Tensor, "n k t L"]]:
        n, k, _, _ = of_words.shape
        L, A, H = *projected.shape[1:], h.shape[-1]
        e_x = exponential(projected)[:, None]  # (n, 1, L, A)
        hs, cs, e_ys, seen, outputs = [h], [c], [], [], []
        scores = score.new_empty(n, k, L)
        for of_word in of_words.unbind(dim=2):
            of_gates, y, of_beta = linear(h, from_state).split([4 * H, A, 1], dim=-1)  # each (n, k, …)
            e_ys.append(exponential(y)[:, :, None])  # (n, k, 1, A)
            for rows, r in reciprocals(e_x, e_ys[-1]):
                torch.matmul(r, -2 * score, out=scores[rows])  # w · tanh = w · 1 - 2 w · r
            alpha = scores.softmax(dim=-1)  # (n, k, L)
            mean = alpha @ vectors  # (n, k, D)
            beta = (of_beta + gate_bias).sigmoid()  # (n, k, 1)
            context = beta * mean
            gates = of_gates + of_word + linear(context, from_context)  # (n, k, 4H)
            i, f, g, o = gates.chunk(4, dim=-1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            shown = c.tanh()
            h = o * shown
            hs.append(h)
            cs.append(c)
            seen.append((i, f, g, o, shown, alpha, mean, beta))
            outputs.append((h, context, alpha))
        ctx.seen, ctx.cs, ctx.e_ys = seen, cs, e_ys
        results = tuple(torch.stack(steps, dim=2) for steps in zip(*outputs, strict=True))
        ctx.save_for_backward(vectors, from_state, from_context, score, e_x, torch.stack(hs[:-1]), results[1])
        return results

    @staticmethod
    def backward(ctx, d_hs, d_contexts, d_alphas):
        vectors, from_state, from_context, score, e_x, hs, contexts = ctx.saved_tensors
        (t, n, k, H), (L, A) = hs.shape, e_x.shape[-2:]
        d_h = d_c = hs.new_zeros(n, k, H)
        d_read = hs.new_empty(t, n, k, 4 * H + A + 1)  # by what is read from h_{t-1}
        d_projected, d_score = hs.new_zeros(n, L, A), hs.new_zeros(A)
        d_vectors = torch.zeros_like(vectors) if ctx.needs_input_grad[1] else None
        for step in reversed(range(t)):
            i, f, g, o, shown, alpha, mean, beta = ctx.seen[step]
            d_h = d_h + d_hs[:, :, step]
            d_c = d_c + d_h * o * (1 - shown * shown)
            d_gates, d_y, d_beta = d_read[step].split([4 * H, A, 1], dim=-1)
            parts = d_gates.chunk(4, dim=-1)
            torch.mul(d_c * g, i * (1 - i), out=parts[0])
            torch.mul(d_c * ctx.cs[step], f * (1 - f), out=parts[1])
            torch.mul(d_c * i, 1 - g * g, out=parts[2])
            torch.mul(d_h * shown, o * (1 - o), out=parts[3])
            d_c = d_c * f
            d_context = d_gates @ from_context + d_contexts[:, :, step]  # (n, k, D)
            d_beta.copy_((d_context * mean).sum(dim=-1, keepdim=True) * beta * (1 - beta))
            d_mean = d_context * beta
            d_alpha = d_mean @ vectors.mT + d_alphas[:, :, step]  # (n, k, L)
            if d_vectors is not None:
                d_vectors += alpha.mT @ d_mean
            d_e = alpha * (d_alpha - (alpha * d_alpha).sum(dim=-1, keepdim=True))  # (n, k, L); their sum is 0
            for rows, r in reciprocals(e_x, ctx.e_ys[step]):  # computed again: quicker than kept
                d_score += d_e[rows].flatten() @ r.view(-1, A)  # by w: tanh = 1 - 2 r
                slope = torch.addcmul(r, r, r, value=-1)  # r (1 - r): a quarter of 1 - tanh^2
                d_y[rows] = (d_e[rows][:, :, None] @ slope)[:, :, 0]
                for caption in range(k):
                    d_projected[rows].addcmul_(d_e[rows, caption, :, None], slope[:, caption])
            d_y *= 4 * score
            d_h = d_read[step] @ from_state
        rows = d_read.flatten(0, 2)  # (t n k, …): all words at once
        d_words = d_read[..., : 4 * H].permute(1, 2, 0, 3)
        d_from_state = rows.T @ hs.flatten(0, 2)
        d_from_context = d_words.flatten(0, 2).T @ contexts.flatten(0, 2)
        return (
            d_words, d_vectors, 4 * score * d_projected, d_h, d_c, d_from_state, rows[:, -1:].sum(dim=0),
            d_from_context, -2 * d_score,
        )  # fmt: skip


def faster(model: Captioner) -> FastCaptioner:
    """The fast form of a model with soft attention. Both share all parameters: what one learns, the other knows.

    Raises:
        ValueError: if the model has no attention, or another kind.
    """
    if type(model) is not Captioner or not model.has_attention:
        raise ValueError(f"model must be a Captioner with soft attention, got {type(model).__name__}")
    fast = FastCaptioner.__new__(FastCaptioner)
    fast.__dict__ = model.__dict__
    return fast


def quick(model: Captioner) -> Captioner:
    """With soft attention, ``faster`` gives the same numbers in less time. Without, there is only one form."""
    return faster(model) if type(model) is Captioner and model.has_attention else model


def quick_decoder(model: Captioner) -> Decoder:
    """What writes captions: ``FastDecoder`` for soft attention, else the model itself, in evaluation mode."""
    return FastDecoder(model) if type(model) is Captioner and model.has_attention else model


class FastDecoder:
    """A trained ``Captioner`` with soft attention, for ``greedy`` and ``beam_search``.

    It takes the weights as they are now. If they are trained on, make another one.
    """

    @torch.no_grad()
    def __init__(self, model: Captioner) -> None:
        if model.training:
            raise ValueError("model must be in evaluation mode: call model.eval() first")
        faster(model)  # checks the kind of attention
        m = model.embed.embedding_dim
        self.model = model
        self.of_words = linear(model.embed.weight, model.weight_x[:, :m], model.bias)  # (words, 4H)
        self.from_context = model.weight_x[:, m:].contiguous()  # (4H, D)
        self.from_state = torch.cat([model.weight_h, model.project_state.weight, model.gate.weight])  # (4H + A + 1, H)
        self.score = -2 * model.score.weight[0]  # (A,)

    def project(self, annotations: Float[Tensor, "n ..."]) -> Annotations:
        """The annotations, and e^{2x} in place of x."""
        projected = self.model.project(annotations)
        return Annotations(projected.vectors, exponential(projected.projected))

    def start(self, annotations: Annotations) -> State:
        return self.model.start(annotations)

    def attend(
        self, y: Float[Tensor, "n *beams A"], e_x: Float[Tensor, "n *#beams L A"]
    ) -> Float[Tensor, "n *beams L"]:
        """The weights, a few images at a time."""
        if y.dim() == 2:
            return self.attend(y[:, None], e_x[:, None])[:, 0]
        scores = y.new_empty(*y.shape[:-1], e_x.shape[-2])
        for rows, r in reciprocals(e_x, exponential(y)[..., None, :]):
            torch.matmul(r, self.score, out=scores[rows])
        return scores.softmax(dim=-1)

    def step(
        self, token_ids: Int[Tensor, "n *beams"], state: State, annotations: Annotations
    ) -> tuple[Float[Tensor, "n *beams words"], State, Float[Tensor, "n *beams L"]]:
        model, (H, A) = self.model, (state.h.shape[-1], annotations.projected.shape[-1])
        gates, y, of_beta = linear(state.h, self.from_state).split([4 * H, A, 1], dim=-1)
        weights = self.attend(y, annotations.projected)
        places = annotations.vectors.squeeze(1) if token_ids.dim() == 2 else annotations.vectors  # (n, L, D)
        mean = (weights if token_ids.dim() == 2 else weights[:, None]) @ places  # (n, beams or 1, D)
        context = (of_beta + model.gate.bias).sigmoid() * mean.view(*token_ids.shape, -1)
        gates = gates + self.of_words[token_ids] + linear(context, self.from_context)
        i, f, g, o = gates.chunk(4, dim=-1)
        c = f.sigmoid() * state.c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return model.deep_output(model.embed(token_ids), h, context), State(h, c), weights
