"""Equation → function → test

1 to 3: gates, c_t, h_t                      lstm_cell         test_cell_by_hand, test_cell_equals_torch
4: e_ti = w·tanh(W_a a_i + W_h h_{t-1} + b)  Captioner.scores  test_scores_in_loops
5: α_t = softmax(e_t)                        attend            test_weights_by_hand
13: Σ_i α_ti a_i                             soft_attention    test_context_in_loops
6: z_t = β_t Σ_i α_ti a_i                    Captioner.look    test_captioner_in_loops, test_equal_scores_give_the_mean
without attention: no z_t, α_ti = 1/L        Captioner.look    test_without_attention_there_is_no_context
several states look at one image             Captioner.look    test_states_of_an_image_look_alone
h_0, c_0 from the mean annotation            Captioner.start   test_captioner_in_loops
7: L_o(E y_{t-1} + L_h h_t + L_z z_t)        deep_output       test_captioner_in_loops
dropout                                      deep_output       test_dropout_is_before_the_last_layer
α_t comes before y_{t-1}                     Captioner         test_weights_depend_on_earlier_words_only
Show and Tell, 10 to 12                      Captioner         test_show_and_tell_in_loops
a set of annotations has no order            Captioner         test_the_order_of_the_places_does_not_matter
"""

import math

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from show_attend_tell.encoders import SmallCNN
from show_attend_tell.model import Annotations, Captioner, State, attend, lstm_cell, soft_attention
from tests.show_attend_tell.misconceptions import model as misconceptions
from tests.show_attend_tell.tiny import random_annotations, random_captioner
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

WORDS = 9  # token ids, the special ones included
SEEDS = st.integers(0, 10_000)
BOTH = pytest.mark.parametrize("attention", [4, None], ids=["soft", "none"])


def doubles(*rows) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def check_cell_by_hand(candidate) -> None:
    """With k = ln 3: σ(k) = 3/4, σ(−k) = 1/4, σ(0) = 1/2, tanh(k/2) = 1/2."""
    k = math.log(3)
    weight_x, weight_h, bias = (
        doubles([k], [0], [0], [0]),
        doubles([0], [k], [0], [0]),
        doubles(0, 0, k / 2, 0),
    )  # i f g o
    h, c = candidate(doubles([1]), doubles([-1]), doubles([2]), weight_x, weight_h, bias)
    check_close("equation 2, c_t = f c + i g with i = 3/4, f = 1/4, g = 1/2", c, doubles([1 / 4 * 2 + 3 / 4 * 1 / 2]))
    check_close("equation 3, h_t = o tanh(c_t) with o = 1/2, c_t = 7/8", h, doubles([1 / 2 * math.tanh(7 / 8)]))


def test_cell_by_hand() -> None:
    check_cell_by_hand(lstm_cell)


def check_cell_equals_torch(candidate, n: int, inputs: int, hidden: int, data) -> None:
    shapes = ((n, inputs), (n, hidden), (n, hidden), (4 * hidden, inputs), (4 * hidden, hidden), (4 * hidden,))
    tensors = [data.draw(whole_tensors(*shape, largest=2)) / 2 for shape in shapes]
    reference = nn.LSTMCell(inputs, hidden).double()

    def of_torch(x, h, c, weight_x, weight_h, bias):
        weights = {"weight_ih": weight_x, "weight_hh": weight_h, "bias_ih": bias, "bias_hh": torch.zeros_like(bias)}
        return torch.cat(torch.func.functional_call(reference, weights, (x, (h, c))), dim=1)

    check_same("[h_t, c_t] of torch.nn.LSTMCell", lambda *a: torch.cat(candidate(*a), dim=1), of_torch, *tensors)


@given(sizes=unequal_sizes(3, low=1, high=4), data=st.data())
@settings(max_examples=15)
def test_cell_equals_torch(sizes, data) -> None:
    check_cell_equals_torch(lstm_cell, *sizes, data)


def check_weights_by_hand(candidate) -> None:
    """Scores 0, ln 2, ln 3 give 1/6, 2/6, 3/6, whatever the other images' scores are."""
    scores, expected = (
        doubles([0, math.log(2), math.log(3)], [math.log(7), 0, 0]),
        doubles([9, 18, 27], [42, 6, 6]) / 54,
    )
    check_close("equation 5, α = softmax over places", candidate(scores), expected)
    check_close("equation 5, with one more axis", candidate(scores[None]), expected[None])
    large = candidate(doubles([1000, 1000 + math.log(3)]))
    check_close("equation 5, scores 1000 and 1000 + ln 3: 1/4 and 3/4", large, doubles([1 / 4, 3 / 4]))


def test_weights_by_hand() -> None:
    check_weights_by_hand(attend)


def context_in_loops(weights: Tensor, vectors: Tensor) -> Tensor:
    rows = []
    for n in range(len(weights)):
        z = torch.zeros_like(vectors[n, 0])
        for i in range(weights.shape[1]):
            z = z + weights[n, i] * vectors[n, i]
        rows.append(z)
    return torch.stack(rows)


def check_context(candidate, n: int, places: int, length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(n, places, generator=generator).double().softmax(dim=-1)
    vectors = torch.randn(n, places, length, generator=generator).double()
    check_same("equation 13, z = Σ_i α_i a_i", candidate, context_in_loops, weights, vectors)
    several = weights[:, None].expand(-1, 2, -1)  # (n, 2, L) beside vectors (n, 1, L, D)
    expected = context_in_loops(weights, vectors)[:, None].expand(-1, 2, -1)
    check_close("equation 13, two captions of an image", candidate(several, vectors[:, None]), expected)


@given(sizes=unequal_sizes(3), seed=SEEDS)
@settings(max_examples=25)
def test_context_in_loops(sizes, seed: int) -> None:
    check_context(soft_attention, *sizes, seed)


@given(sizes=unequal_sizes(3), seed=SEEDS)
@settings(max_examples=15)
def test_scores_in_loops(sizes, seed: int) -> None:
    n, places, length = sizes
    model, images = random_captioner(WORDS, length, seed), random_annotations(n, places, length, seed)
    h = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed)).double()

    def in_loops(h: Tensor, images: Tensor) -> Tensor:
        W_a, b = model.project_annotations.weight, model.project_annotations.bias
        W_h, w = model.project_state.weight, model.score.weight[0]
        return torch.stack([torch.stack([w @ (W_a @ a + W_h @ h[k] + b).tanh() for a in images[k]]) for k in range(n)])

    def candidate(h: Tensor, images: Tensor) -> Tensor:
        return model.scores(h, model.project(images))

    check_same("equation 4, e_i = w·tanh(W_a a_i + W_h h + b)", candidate, in_loops, h, images)


def some_captions(n: int, t: int, seed: int) -> Tensor:
    return torch.randint(1, WORDS, (n, t), generator=torch.Generator().manual_seed(seed))


def captions_in_loops(model: Captioner, images: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's equations for one image after the other, one word after the other."""
    all_logits, all_weights = [], []
    for a, caption in zip(images, captions, strict=True):
        mean = sum(a) / len(a)
        h = torch.tanh(model.start_h.weight @ mean + model.start_h.bias)
        c = torch.tanh(model.start_c.weight @ mean + model.start_c.bias)
        for y in caption[:-1]:
            e = [
                model.score.weight[0] @ torch.tanh(model.project_annotations(a_i) + model.project_state.weight @ h)
                for a_i in a
            ]
            alpha = torch.stack(e).exp() / sum(e_i.exp() for e_i in e)
            beta = torch.sigmoid(model.gate.weight[0] @ h + model.gate.bias[0])
            z = beta * sum(alpha_i * a_i for alpha_i, a_i in zip(alpha, a, strict=True))
            x = torch.cat([model.embed.weight[y], z])
            h, c = lstm_cell(x, h, c, model.weight_x, model.weight_h, model.bias)
            summed = model.embed.weight[y] + model.from_hidden.weight @ h + model.from_context.weight @ z
            all_logits.append(model.output.weight @ summed + model.output.bias)
            all_weights.append(alpha)
    shape = (len(images), captions.shape[1] - 1, -1)
    return torch.stack(all_logits).view(shape), torch.stack(all_weights).view(shape)


def show_and_tell_in_loops(model: Captioner, images: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
    """x_{-1} is the image, x_t = E y_t are the words; the image comes once."""
    logits = []
    for a, caption in zip(images, captions, strict=True):
        h = c = torch.zeros(model.weight_h.shape[1]).double()
        inputs = [model.show.weight @ (sum(a) / len(a)) + model.show.bias, *model.embed.weight[caption[:-1]]]
        for t, x in enumerate(inputs):
            h, c = lstm_cell(x, h, c, model.weight_x, model.weight_h, model.bias)
            if t > 0:
                logits.append(model.output.weight @ (x + model.from_hidden.weight @ h) + model.output.bias)
    n, t = captions[:, 1:].shape
    uniform = torch.full((n, t, images.shape[1]), 1 / images.shape[1], dtype=torch.float64)
    return torch.stack(logits).view(n, t, -1), uniform


def check_captioner(candidate, expected, attention: int | None, sizes: tuple[int, ...], seed: int) -> None:
    """Logits and weights, and their gradients by the annotations and by every parameter."""
    n, places, length, t = sizes
    model = random_captioner(WORDS, length, seed, attention, scale=0.7)
    images, captions = random_annotations(n, places, length, seed), some_captions(n, t, seed)
    generator, results = torch.Generator().manual_seed(seed), []
    cotangents = [torch.randn(n, t - 1, size, generator=generator).double() for size in (WORDS, places)]
    for function in (candidate, expected):
        images_, parameters = images.clone().requires_grad_(), dict(model.named_parameters())
        logits, weights = function(model, images_, captions)
        total = (logits * cotangents[0]).sum() + (weights * cotangents[1]).sum()
        slopes = torch.autograd.grad(total, [images_, *parameters.values()], allow_unused=True, materialize_grads=True)
        results.append((logits, weights, *slopes))
    gradients = [f"the gradient by {name}" for name in ("the annotations", *parameters)]
    names = ["equation 7, the logits (image, step, word)", "equation 5, α (image, step, place)", *gradients]
    for name, got, right in zip(names, *results, strict=True):
        check_close(name, got, right)


def forward(model: Captioner, images: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
    return model(images, captions)


@given(sizes=unequal_sizes(4, high=6), seed=SEEDS)
@settings(max_examples=10)
def test_captioner_in_loops(sizes, seed: int) -> None:
    check_captioner(forward, captions_in_loops, 4, sizes, seed)


@given(sizes=unequal_sizes(4, high=6), seed=SEEDS)
@settings(max_examples=10)
def test_show_and_tell_in_loops(sizes, seed: int) -> None:
    check_captioner(forward, show_and_tell_in_loops, None, sizes, seed)


@given(sizes=unequal_sizes(3), seed=SEEDS)
@settings(max_examples=10)
def test_equal_scores_give_the_mean(sizes, seed: int) -> None:
    """Without w all scores are 0: each place has 1/L, and z is β times the mean annotation."""
    n, places, length = sizes
    model, images = random_captioner(WORDS, length, seed), random_annotations(n, places, length, seed)
    nn.init.zeros_(model.score.weight)
    annotations = model.project(images)
    state = model.start(annotations)
    context, weights = model.look(state.h, annotations)
    check_close("α = 1/L", weights, torch.full((n, places), 1 / places, dtype=torch.float64))
    check_close("z = β mean(a)", context, model.gate(state.h).sigmoid() * images.mean(dim=1))


def test_without_attention_there_is_no_context() -> None:
    model, annotations = random_captioner(WORDS, 4, 0, None), random_annotations(2, 3, 4, 0)
    context, weights = model.look(torch.zeros(2, 5).double(), model.project(annotations))
    check_close("an empty context", context, torch.zeros(2, 0).double())
    check_close("α = 1/L, without attention", weights, torch.full((2, 3), 1 / 3, dtype=torch.float64))


@pytest.mark.parametrize("part", ["scores", "look"])
@given(sizes=unequal_sizes(4), seed=SEEDS)
@settings(max_examples=10)
def test_states_of_an_image_look_alone(part: str, sizes, seed: int) -> None:
    """Several states (n, several, H) share the vectors (n, 1, L, D) of an image: each gets what it gets alone."""
    n, several, places, length = sizes
    model, images = random_captioner(WORDS, length, seed), random_annotations(n, places, length, seed)
    states = torch.randn(n, several, 5, generator=torch.Generator().manual_seed(seed)).double()
    annotations = model.project(images)
    for k, h in enumerate(states.unbind(1)):
        right = model.scores(h, annotations)
        if part == "scores":
            got = model.scores(states, annotations.shared())
        else:
            got, _ = model.look(states, annotations.shared())
            right = model.gate(h).sigmoid() * soft_attention(attend(right), images)
        check_close(f"{part}, state {k} of each image", got[:, k], right)


@BOTH
@given(sizes=unequal_sizes(4), seed=SEEDS)
@settings(max_examples=10)
def test_one_word_after_the_other(attention, sizes, seed: int) -> None:
    n, places, length, t = sizes
    model, images = random_captioner(WORDS, length, seed, attention), random_annotations(n, places, length, seed)
    captions = some_captions(n, t, seed)
    logits, weights = model(images, captions)
    annotations = model.project(images)
    state = model.start(annotations)
    for k in range(t - 1):
        one, state, seen = model.step(captions[:, k], state, annotations)
        check_close(f"logits of step {k}", one, logits[:, k])
        check_close(f"weights of step {k}", seen, weights[:, k])


@BOTH
@given(sizes=unequal_sizes(5, high=7), seed=SEEDS)
@settings(max_examples=10)
def test_several_captions_of_an_image(attention, sizes, seed: int) -> None:
    """The same as the image once for each caption; and several hypotheses in a step are the same as each alone."""
    n, several, places, length, t = sizes
    model, images = random_captioner(WORDS, length, seed, attention), random_annotations(n, places, length, seed)
    captions = some_captions(n * several, t, seed)
    expected = model(images.repeat_interleave(several, dim=0), captions)
    got = model(images, captions.view(n, several, t))
    for name, one, right in zip(("logits", "weights"), got, expected, strict=True):
        check_close(name, one.flatten(0, 1), right)
    annotations = model.project(images)
    state = State(*(part[:, None].expand(-1, several, -1) for part in model.start(annotations)))
    logits, state, weights = model.step(captions.view(n, several, t)[..., 0], state, annotations.shared())
    check_close("logits of a step", logits.flatten(0, 1), expected[0][:, 0])
    check_close("weights of a step", weights.flatten(0, 1), expected[1][:, 0])
    assert state.h.shape == (n, several, 5)


def check_earlier_words_only(candidate, seed: int) -> None:
    """Row k of the logits has read the words 0 … k, row k of the weights only 0 … k − 1."""
    model, images, captions = (
        random_captioner(WORDS, 4, seed),
        random_annotations(3, 5, 4, seed),
        some_captions(3, 6, seed),
    )
    logits, weights = candidate(model, images, captions)
    for changed in range(5):
        other = captions.clone()
        other[:, changed:] = other[:, changed:] % (WORDS - 1) + 1  # another word, here and behind
        new_logits, new_weights = candidate(model, images, other)
        check_close(f"logits before word {changed}", new_logits[:, :changed], logits[:, :changed])
        check_close(f"weights up to word {changed}", new_weights[:, : changed + 1], weights[:, : changed + 1])
        assert (new_logits[:, changed] - logits[:, changed]).abs().max() > 1e-6
        if changed < 4:
            assert (new_weights[:, changed + 1] - weights[:, changed + 1]).abs().max() > 1e-9


def test_weights_depend_on_earlier_words_only() -> None:
    check_earlier_words_only(forward, seed=0)


@BOTH
@given(sizes=unequal_sizes(4, high=6), seed=SEEDS)
@settings(max_examples=10)
def test_the_order_of_the_places_does_not_matter(attention, sizes, seed: int) -> None:
    n, places, length, t = sizes
    model, images = random_captioner(WORDS, length, seed, attention), random_annotations(n, places, length, seed)
    captions, order = some_captions(n, t, seed), torch.randperm(places, generator=torch.Generator().manual_seed(seed))
    logits, weights = model(images, captions)
    of_shuffled, weights_of_shuffled = model(images[:, order], captions)
    check_close("logits", of_shuffled, logits)
    check_close("weights, in the same order as the places", weights_of_shuffled, weights[..., order])


def test_a_model_without_attention_sees_the_mean_alone() -> None:
    model, images, captions = (
        random_captioner(WORDS, 4, 0, None),
        random_annotations(2, 6, 4, 0),
        some_captions(2, 5, 0),
    )
    assert model.project(images).projected.shape == (2, 6, 0), "nothing for an attention network"
    same_mean = images.mean(dim=1, keepdim=True).expand(-1, 6, -1)
    check_close("logits", model(same_mean, captions)[0], model(images, captions)[0])
    assert (model(images.flip(0), captions)[0] - model(images, captions)[0]).abs().max() > 1e-6


@BOTH
def test_weights_add_up_to_1(attention) -> None:
    model, images = random_captioner(WORDS, 4, 0, attention), random_annotations(3, 5, 4, 0)
    _, weights = model(images, some_captions(3, 6, 0))
    check_close("Σ_i α_ti", weights.sum(dim=-1), torch.ones(3, 5))
    assert (weights > 0).all()


def test_dropout_is_before_the_last_layer() -> None:
    """In training an entry of E y + L_h h + L_z z is 0 with probability p, and otherwise divided by 1 − p."""
    torch.manual_seed(0)
    model = Captioner(WORDS, 4, embedding=300, hidden=6, attention=5, dropout=0.25).double().eval()
    model.output = nn.Identity()
    images, captions = random_annotations(3, 5, 4, 0), some_captions(3, 6, 0)
    (summed, weights), (dropped, weights_in_training) = model(images, captions), model.train()(images, captions)
    check_close("the weights have no dropout", weights_in_training, weights)
    kept = dropped != 0
    check_close("what is kept, times 1/(1 − p)", dropped[kept], summed[kept] / 0.75)
    assert abs(kept.double().mean().item() - 0.75) < 4 * math.sqrt(0.25 * 0.75 / kept.numel())  # 4 standard deviations


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_first_loss_is_near_that_of_guessing(attention, seed: int) -> None:
    """ln(words), as if all words were equally likely, and about half the variance of the logits, 0.6², more."""
    torch.manual_seed(seed)
    captions = torch.randint(60, (64, 11))
    logits, _ = Captioner(60, 19, 32, 64, attention)(torch.rand(64, 16, 19), captions)
    loss = cross_entropy(logits.flatten(0, 1), captions[:, 1:].flatten()).item()
    assert abs(loss - math.log(60)) < 0.3, loss


@BOTH
def test_first_weights_of_the_cell(attention) -> None:
    """Uniform within ±1/√H, as torch.nn.LSTMCell's: the outermost of some thousands are within 5% of these ends."""
    torch.manual_seed(0)
    model = Captioner(WORDS, 19, 30, 64, attention)
    for name in ("weight_x", "weight_h", "bias"):
        weight = getattr(model, name).detach() * 8  # √64
        assert -1 <= weight.min() < -0.95, name
        assert 0.95 < weight.max() <= 1, name
    assert model.weight_x.shape == (
        4 * 64,
        30 + (0 if attention is None else 19),
    )  # [E y, z], z empty without attention


def test_an_encoder_computes_the_annotations() -> None:
    torch.manual_seed(0)
    encoder = SmallCNN((3, 4), background=0.9)
    model = Captioner(WORDS, encoder.annotation, 3, 5, 4, encoder=encoder).double()
    images, captions = torch.rand(2, 3, 16, 12).double(), some_captions(2, 5, 0)
    logits, weights = model(images, captions)
    assert weights.shape == (2, 4, 4 * 3)
    annotations = encoder(images)
    model.encoder = None
    check_close("logits from pixels", logits, model(annotations, captions)[0])
    (slope,) = torch.autograd.grad(logits.sum(), encoder.layers[0].weight)
    assert slope.abs().max() > 0, "the encoder does not learn"


def test_annotations_are_broadcast_not_copied() -> None:
    """The axis is new, and the memory is the same."""
    annotations = Annotations(torch.zeros(2, 3, 4), torch.zeros(2, 3, 5))
    shared = annotations.shared()
    assert [tuple(part.shape) for part in shared] == [(2, 1, 3, 4), (2, 1, 3, 5)]
    assert [part.data_ptr() for part in shared] == [part.data_ptr() for part in annotations]


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


GENERATE = settings(database=None, phases=[Phase.generate])  # no shrinking: it only has to fail


@each(misconceptions.CELLS)
def test_wrong_cell_is_caught(wrong) -> None:
    @given(sizes=unequal_sizes(3, low=1, high=4), data=st.data())
    @GENERATE
    def check(sizes, data) -> None:
        check_cell_equals_torch(wrong, *sizes, data)

    with pytest.raises(AssertionError):
        check()


@each(misconceptions.WEIGHTS)
def test_wrong_weights_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_weights_by_hand(wrong)


@each(misconceptions.CONTEXTS)
def test_wrong_context_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_context(wrong, 2, 4, 3, seed=0)


def test_the_loops_of_the_misconceptions_are_right_without_one() -> None:
    check_captioner(misconceptions._captions, captions_in_loops, 4, (3, 5, 4, 6), seed=0)


@each(misconceptions.FORWARDS)
def test_wrong_captioner_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_captioner(wrong, captions_in_loops, 4, (3, 5, 4, 6), seed=0)


@each(misconceptions.SHOW_AND_TELL)
def test_wrong_show_and_tell_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_captioner(wrong, show_and_tell_in_loops, None, (3, 5, 4, 6), seed=0)


def test_a_leak_is_caught() -> None:
    leaks = next(wrong for wrong in misconceptions.FORWARDS if wrong.__name__ == "reads_the_word_that_it_predicts")
    with pytest.raises(AssertionError):
        check_earlier_words_only(leaks, seed=0)
