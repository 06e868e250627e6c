"""Equation → function → test (Vaswani et al. 2017; Radford et al. 2021)

softmax(Q Kᵀ / √d) V                        attention_spec       test_attention_by_hand, test_attention_equals_torchs
several heads, each on its part             MultiHeadAttention   test_heads_by_hand, test_heads_equal_torchs
no position sees a later one                MultiHeadAttention   test_causal_attention_does_not_see_the_future
x + A(LN(x)), then x + MLP(LN(x))           Block                test_block_equals_torchs
x σ(1.702 x)                                QuickGELU            test_quick_gelu_by_hand
the vector at the first end token           TextEncoder          test_text_is_read_at_its_first_end
û = W f / |W f|                             CLIP                 test_embeddings_by_hand
t starts at ln(1/0.07)                      CLIP                 test_log_scale_starts_at_the_papers_temperature
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import linear, scaled_dot_product_attention

from clip_mini.model import (
    CLIP,
    FIRST_SCALE,
    LARGEST_SCALE,
    Block,
    MultiHeadAttention,
    QuickGELU,
    TextEncoder,
    Transformer,
    attention_spec,
)
from tests.clip_mini.misconceptions import model as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)
WORDS, CONTEXT, END = 12, 9, 7  # token ids, positions, and an end token that is not the largest id


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_tensor(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_weights(module: nn.Module, seed: int) -> nn.Module:
    """In float64, and all weights matter: no gain is 1, and no bias is 0."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.double().parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return module


def triangle(t: int) -> torch.Tensor:
    """Position i may look at the positions 0 to i."""
    return torch.ones(t, t, dtype=torch.bool).tril()


# ---- attention

Q = float64([[[[2 * math.log(3), 0, 0, 0], [0, 0, 0, 0]]]])  # one text, one head, two positions, d = 4
K = float64([[[[1, 0, 0, 0], [0, 0, 0, 0]]]])
V = float64([[[[4, 0, 0, 8], [0, 4, 0, 0]]]])


def check_attention_by_hand(candidate: Callable) -> None:
    """√d = 2. The scores of position 0 are (2 ln 3 · 1, 0)/2 = (ln 3, 0): weights 3/4 and 1/4. Those of position 1 are
    (0, 0): weights 1/2 and 1/2. With the causal mask, position 0 has only itself."""
    second = [2, 2, 0, 4]
    check_close("equation 1, weights (3/4, 1/4), (1/2, 1/2)", candidate(Q, K, V), float64([[[[3, 1, 0, 6], second]]]))
    expected = float64([[[[4, 0, 0, 8], second]]])
    check_close("equation 1, causal, weights (1, 0), (1/2, 1/2)", candidate(Q, K, V, triangle(2)), expected)


def test_attention_by_hand() -> None:
    check_attention_by_hand(attention_spec)


@st.composite
def queries_keys_values(draw, same: bool = False):
    n, heads, t, s, d = draw(unequal_sizes(5, low=1, high=5))
    s = t if same else s
    return tuple(draw(whole_tensors(n, heads, length, d, largest=2)) for length in (t, s, s))


@given(drawn=queries_keys_values())
@settings(max_examples=25)
def test_weights_of_attention_sum_to_one(drawn) -> None:
    """The result is a mean of the values: equal values come back, and no result is above the largest value."""
    q, k, v = drawn
    check_close("Σ_j weight_ij = 1", attention_spec(q, k, torch.ones_like(v)), torch.ones_like(q))
    largest = v.amax(dim=2, keepdim=True)
    assert (attention_spec(q, k, v) <= largest + 1e-12).all(), "a mean is at most the largest value"


@given(drawn=queries_keys_values())
@settings(max_examples=25)
def test_attention_equals_torchs(drawn) -> None:
    """The reference is torch.nn.functional.scaled_dot_product_attention, forward and gradient."""
    check_same("equation 1 beside torch", attention_spec, scaled_dot_product_attention, *drawn)


@given(drawn=queries_keys_values(same=True))
@settings(max_examples=25)
def test_causal_attention_equals_torchs(drawn) -> None:
    allowed = triangle(drawn[0].shape[2])
    check_same(
        "equation 1, causal, beside torch",
        lambda q, k, v: attention_spec(q, k, v, allowed),
        lambda q, k, v: scaled_dot_product_attention(q, k, v, is_causal=True),
        *drawn,
    )


def call(module: nn.Module, *arguments):
    return module(*arguments)


def check_heads_by_hand(candidate: Callable, heads: int, d: int, n: int, t: int, causal: bool, seed: int) -> None:
    """``candidate(attention, x, causal)`` against each head alone: head h owns the numbers h·d to (h+1)·d - 1."""
    width = heads * d
    attention = random_weights(MultiHeadAttention(width, heads), seed)
    x = random_tensor(n, t, width, seed=seed)
    q, k, v = linear(x, attention.project_in.weight, attention.project_in.bias).split(width, dim=-1)
    parts = []
    for h in range(heads):
        own = slice(h * d, (h + 1) * d)
        one_head = (part[:, None, :, own] for part in (q, k, v))
        parts.append(attention_spec(*one_head, triangle(t) if causal else None)[:, 0])
    expected = linear(torch.cat(parts, dim=-1), attention.project_out.weight, attention.project_out.bias)
    what = f"attention of {heads} heads of {d} dimensions, each alone, {'causal' if causal else 'full'}"
    check_close(f"{what}, at (sequence, position, number)", candidate(attention, x, causal), expected)


FULL_AND_CAUSAL = pytest.mark.parametrize("causal", [False, True], ids=["full", "causal"])


@FULL_AND_CAUSAL
@given(sizes=unequal_sizes(4, low=1, high=5), seed=SEEDS)
@settings(max_examples=15)
def test_heads_by_hand(causal: bool, sizes, seed: int) -> None:
    check_heads_by_hand(call, *sizes, causal, seed)


@FULL_AND_CAUSAL
@given(sizes=unequal_sizes(4, low=1, high=5), seed=SEEDS)
@settings(max_examples=15)
def test_heads_equal_torchs(causal: bool, sizes, seed: int) -> None:
    """The reference is torch.nn.MultiheadAttention with the same weights; forward, and gradients by x and weights."""
    heads, d, n, t = sizes
    ours = random_weights(MultiHeadAttention(heads * d, heads), seed)
    theirs = nn.MultiheadAttention(heads * d, heads, batch_first=True).double()

    def reference(x, *weights):
        names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
        keywords = {"need_weights": False, "attn_mask": ~triangle(t) if causal else None}
        return torch.func.functional_call(theirs, dict(zip(names, weights, strict=True)), (x, x, x), keywords)[0]

    def candidate(x, *weights):
        names = ("project_in.weight", "project_in.bias", "project_out.weight", "project_out.bias")
        return torch.func.functional_call(ours, dict(zip(names, weights, strict=True)), (x, causal))

    weights = [parameter.detach() for parameter in ours.parameters()]
    what = "MultiHeadAttention beside torch, by x, W_in, b_in, W_out, b_out"
    check_same(what, candidate, reference, random_tensor(n, t, heads * d, seed=seed), *weights)


@given(sizes=unequal_sizes(3, low=1, high=5), data=st.data(), seed=SEEDS)
@settings(max_examples=15)
def test_causal_attention_does_not_see_the_future(sizes, data, seed: int) -> None:
    """Other vectors after position i change nothing up to position i, in any number of layers."""
    n, t, heads = sizes
    transformer = random_weights(Transformer(2 * heads, 2, heads, 5, "gelu"), seed)
    x, other = (random_tensor(n, t, 2 * heads, seed=seed + k) for k in range(2))
    kept = data.draw(st.integers(1, t))
    changed = torch.cat([x[:, :kept], other[:, kept:]], dim=1)
    got, expected = (transformer(both, True)[:, :kept] for both in (changed, x))
    check_close(f"positions 0 to {kept - 1}, after a change of the positions behind them", got, expected)


@given(sizes=unequal_sizes(2, low=1, high=6), data=st.data(), seed=SEEDS)
@settings(max_examples=15)
def test_full_attention_knows_no_order(sizes, data, seed: int) -> None:
    """Positions in another order give the same results in that order: order comes from the position vectors alone."""
    n, t = sizes
    transformer, x = random_weights(Transformer(6, 2, 3, 5, "gelu"), seed), random_tensor(n, t, 6, seed=seed)
    order = data.draw(st.permutations(range(t)))
    check_close("A(x in another order)", transformer(x[:, order], False), transformer(x, False)[:, order])


# ---- the Transformer


def test_quick_gelu_by_hand() -> None:
    """σ(0) = 1/2, σ(ln 3) = 3/4, σ(-ln 3) = 1/4."""
    x = math.log(3) / 1.702
    got = QuickGELU()(float64([0, x, -x, 1000, -1000]))
    check_close("x σ(1.702 x)", got, float64([0, 3 / 4 * x, -1 / 4 * x, 1000, 0]))


def test_quick_gelu_is_near_gelu() -> None:
    """The reference is torch.nn.GELU: x Φ(x), with the normal distribution Φ. They differ by 0.02 at most."""
    x = torch.linspace(-10, 10, 2001).double()
    assert 0.02 < (QuickGELU()(x) - nn.GELU()(x)).abs().max() < 0.021


OUR_NAMES = (
    "norm1.weight", "norm1.bias", "attention.project_in.weight", "attention.project_in.bias",
    "attention.project_out.weight", "attention.project_out.bias", "norm2.weight", "norm2.bias",
    "mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.2.bias",
)  # fmt: skip
TORCHS_NAMES = (
    "norm1.weight", "norm1.bias", "self_attn.in_proj_weight", "self_attn.in_proj_bias",
    "self_attn.out_proj.weight", "self_attn.out_proj.bias", "norm2.weight", "norm2.bias",
    "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias",
)  # fmt: skip


def check_block_equals_torchs(candidate: Callable, sizes: tuple[int, ...], causal: bool, seed: int) -> None:
    heads, d, n, t, hidden = sizes
    ours = random_weights(Block(heads * d, heads, hidden, "gelu"), seed)
    theirs = nn.TransformerEncoderLayer(
        heads * d, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    weights = dict(ours.named_parameters())
    theirs.load_state_dict({name: weights[own] for name, own in zip(TORCHS_NAMES, OUR_NAMES, strict=True)})
    check_same(
        "Block beside TransformerEncoderLayer",
        lambda x: candidate(ours, x, causal),
        lambda x: theirs(x, src_mask=~triangle(t) if causal else None),
        random_tensor(n, t, heads * d, seed=seed),
    )
    gradients = [  # of the same weighted sum, by each weight
        torch.autograd.grad((result * random_tensor(*result.shape, seed=1)).sum(), [by[name] for name in names])
        for x in [random_tensor(n, t, heads * d, seed=seed)]
        for result, by, names in (
            (candidate(ours, x, causal), weights, OUR_NAMES),
            (theirs(x, src_mask=~triangle(t) if causal else None), dict(theirs.named_parameters()), TORCHS_NAMES),
        )
    ]
    for name, got, expected in zip(OUR_NAMES, *gradients, strict=True):
        check_close(f"the gradient of Block by {name}", got, expected, absolute=1e-10)


@FULL_AND_CAUSAL
@given(sizes=unequal_sizes(5, low=1, high=6), seed=SEEDS)
@settings(max_examples=12)
def test_block_equals_torchs(causal: bool, sizes, seed: int) -> None:
    """The reference is torch.nn.TransformerEncoderLayer(norm_first=True, activation="gelu") with the same weights."""
    check_block_equals_torchs(call, sizes, causal, seed)


def test_a_transformer_is_its_blocks_in_order() -> None:
    transformer, x = random_weights(Transformer(6, 3, 2, 5, "quick_gelu"), 0), random_tensor(2, 4, 6, seed=0)
    first, second, third = transformer.blocks
    assert isinstance(first.mlp[1], QuickGELU)
    check_close("three layers", transformer(x, True), third(second(first(x, True), True), True))


def check_deviation(what: str, weights: torch.Tensor, expected: float) -> None:
    """The standard deviation of N normal numbers lies within 5 of its own standard errors, σ/√(2N), of σ."""
    got, within = weights.std().item(), 5 * expected / math.sqrt(2 * weights.numel())
    assert abs(got - expected) < within, f"std of {what}: got {got:.5f}, expected {expected:.5f} ± {within:.5f}"


def test_first_weights() -> None:
    """As in GPT-2 and CLIP. What a layer adds is smaller in a deeper network: 2·layers parts are added up."""
    torch.manual_seed(0)
    width, layers = 96, 3
    encoder = TextEncoder(500, 60, END, width, layers, 4, 200, "gelu")
    for block in encoder.transformer.blocks:
        check_deviation("query, key, value: width^-1/2", block.attention.project_in.weight, width**-0.5)
        check_deviation("the MLP's first matrix: (2 width)^-1/2", block.mlp[0].weight, (2 * width) ** -0.5)
        for last in (block.attention.project_out, block.mlp[2]):
            check_deviation("what is added: (2 layers width)^-1/2", last.weight, (2 * layers * width) ** -0.5)
    check_deviation("the embedding: 0.02", encoder.embed.weight, 0.02)
    check_deviation("the positions: 0.01", encoder.positions, 0.01)
    model = some_clip(image_features=70, text=encoder, common=80)
    check_deviation("W_i: features^-1/2", model.image_projection.weight, 70**-0.5)
    check_deviation("W_t: features^-1/2", model.text_projection.weight, width**-0.5)


# ---- the text encoder


def some_text_encoder(seed: int, layers: int = 2) -> TextEncoder:
    return random_weights(TextEncoder(WORDS, CONTEXT, END, 6, layers, 2, 5, "gelu"), seed)


@st.composite
def batches_of_texts(draw):
    """One to four texts of up to ``CONTEXT`` ids. Behind the first end anything may come, also a second end."""
    t = draw(st.integers(1, CONTEXT))
    words = st.integers(0, WORDS - 1).filter(lambda word: word != END)
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        before = draw(st.lists(words, max_size=t - 1))
        behind = t - 1 - len(before)
        rows.append([*before, END, *draw(st.lists(st.integers(0, WORDS - 1), min_size=behind, max_size=behind))])
    return torch.tensor(rows)


def check_text_encoder(candidate: Callable, texts: torch.Tensor, seed: int) -> None:
    """Each text alone, cut behind its first end, and read at its last position."""
    encoder = some_text_encoder(seed)
    for row, (got, text) in enumerate(zip(candidate(encoder, texts), texts.tolist(), strict=True)):
        text = text[: text.index(END) + 1]
        x = encoder.embed.weight[text] + encoder.positions[: len(text)]  # word k gets position vector k
        expected = encoder.norm(encoder.transformer(x[None], causal=True))[0, -1]
        check_close(f"text {row}, {text}, read at its first end, number", got, expected)


@given(texts=batches_of_texts(), seed=SEEDS)
@settings(max_examples=25)
def test_text_is_read_at_its_first_end(texts: torch.Tensor, seed: int) -> None:
    check_text_encoder(call, texts, seed)


TEXTS = torch.tensor([[1, 4, END, 9, END], [1, 11, 4, 2, END], [END, 0, 0, 0, 0]])


def test_padding_and_words_behind_the_end_change_nothing() -> None:
    encoder = some_text_encoder(0)
    expected = encoder(TEXTS)
    longer = torch.cat([TEXTS, torch.zeros(3, 3, dtype=torch.int64)], dim=1)
    check_close("three more positions of padding", encoder(longer), expected)
    other = TEXTS.clone()
    other[0, 3:], other[2, 1:] = 5, 8
    check_close("other words behind the end", encoder(other), expected)


def test_words_and_their_order_matter() -> None:
    encoder = some_text_encoder(0)
    one, turned, other = encoder(torch.tensor([[1, 4, 5, END], [1, 5, 4, END], [1, 4, 6, END]]))
    assert (one - turned).abs().max() > 1e-3, '"4 5" and "5 4" have the same vector'
    assert (one - other).abs().max() > 1e-3, '"4 5" and "4 6" have the same vector'


def test_place_of_the_end_by_hand() -> None:
    assert some_text_encoder(0).place_of_end(TEXTS).tolist() == [2, 4, 0]


# ---- CLIP


class Features(nn.Module):
    """Images that are feature vectors already."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def some_clip(image_features: int, text: nn.Module, common: int) -> CLIP:
    torch.manual_seed(0)
    return CLIP(Features(image_features), text, common)


def check_first_scale(model: CLIP) -> None:
    """Section 2.4: the first temperature is 0.07, so similarities are multiplied by 1/0.07 = 14.3."""
    check_close("e^t at the start = 1/0.07", model.log_scale.double().exp(), 1 / 0.07, relative=1e-6)


def test_log_scale_starts_at_the_papers_temperature() -> None:
    model = some_clip(4, some_text_encoder(0), 5)
    check_first_scale(model)
    assert model.log_scale.requires_grad, "the scale is learned"
    assert math.exp(FIRST_SCALE) == pytest.approx(1 / 0.07)
    assert math.exp(LARGEST_SCALE) == pytest.approx(100)


def test_embeddings_by_hand() -> None:
    """The features (1, 2) times W_i = [[3, 0], [0, 2]] are (3, 4): the unit vector is (0.6, 0.8)."""
    text_encoder = some_text_encoder(0)
    model = some_clip(2, text_encoder, 2).double()
    with torch.no_grad():
        model.image_projection.weight.copy_(float64([[3, 0], [0, 2]]))
    image, text = model(float64([[1, 2], [-1, 0]]), TEXTS)
    check_close("û = W_i f / |W_i f|", image, float64([[0.6, 0.8], [-1, 0]]))
    projected = text_encoder(TEXTS) @ model.text_projection.weight.T
    check_close("v̂ = W_t f / |W_t f|", text, projected / projected.square().sum(dim=1, keepdim=True).sqrt())
    check_close("|v̂| = 1", text.norm(dim=1), torch.ones(3))


# ---- misconceptions


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.ATTENTIONS)
def test_wrong_attention_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_attention_by_hand(wrong)


@each(misconceptions.HEADS)
def test_wrong_heads_are_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_heads_by_hand(wrong, heads=3, d=2, n=2, t=4, causal=True, seed=0)


@each(misconceptions.BLOCKS)
def test_wrong_block_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_block_equals_torchs(wrong, (3, 2, 2, 4, 5), causal=False, seed=0)


@each(misconceptions.TEXTS)
def test_wrong_text_encoder_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_text_encoder(wrong, TEXTS, seed=0)


@pytest.mark.parametrize("wrong", [1 / 0.07, math.log(0.07), 1.0], ids=["no logarithm", "the temperature", "one"])
def test_wrong_first_scale_is_caught(wrong: float) -> None:
    """Tempting because "0.07" is what the paper says; t is the logarithm of its inverse."""
    model = some_clip(4, some_text_encoder(0), 5)
    nn.init.constant_(model.log_scale, wrong)
    with pytest.raises(AssertionError):
        check_first_scale(model)
