"""Equation → function → test

i, f, g, o; c_t, h_t              lstm_cell        test_cell_equals_torch, test_cell_by_hand
[c1, h1, c2, h2], the last word   lstm_states      test_states_equal_torch, test_padding_does_not_matter
embedding, tanh, LSTM             QuestionStream   test_question_stream_by_hand
sum, first moments                pool             test_pool_equals_loops, test_moments_follow_an_object
distance from the ground          detect           test_form_sees_the_distance_from_the_ground_and_not_the_direction
o, o p_a                          describe         test_description_by_hand
"norm I"                          ImageStream      test_every_picture_has_one_length
"""

import itertools
import math

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from tests.misconceptions import vqa_model as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.vqa.test_model import EXACT, SEEDS, SIDE, WORDS, small, some_images, some_questions
from vqa.model import CONSTANT, QuestionStream, lstm_cell, lstm_states, lstm_states_spec, pool


def check_gradients(got: tuple, expected: tuple, inputs: list, seed: int) -> None:
    """The outputs are equal, and so is what comes back for random cotangents."""
    generator = torch.Generator().manual_seed(seed)
    cotangents = [torch.randn(out.shape, generator=generator, dtype=out.dtype) for out in got]
    for ours, theirs in zip(got, expected, strict=True):
        assert_close(ours, theirs, **EXACT)
    ours, theirs = (torch.autograd.grad(out, inputs, cotangents, retain_graph=True) for out in (got, expected))
    for k, pair in enumerate(zip(ours, theirs, strict=True)):
        assert_close(*pair, **EXACT, msg=lambda text, k=k: f"gradient to input {k}: {text}")


def check_cell_equals_torch(candidate, n: int, inputs: int, hidden: int, data) -> None:
    shapes = ((n, inputs), (n, hidden), (n, hidden), (4 * hidden, inputs), (4 * hidden, hidden), (4 * hidden,))
    x, h, c, weight_x, weight_h, bias = (data.draw(whole_tensors(*shape, largest=2)) / 2 for shape in shapes)
    reference = nn.LSTMCell(inputs, hidden).double()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    tensors = [t.requires_grad_() for t in (x, h, c, weight_x, weight_h, bias)]
    weights = dict(zip(names, (weight_x, weight_h, bias, torch.zeros_like(bias)), strict=True))
    expected = torch.func.functional_call(reference, weights, (x, (h, c)))
    check_gradients(candidate(*tensors), expected, tensors, seed=data.draw(SEEDS))


@given(sizes=unequal_sizes(3, low=1, high=4), data=st.data())
@settings(max_examples=25)
def test_cell_equals_torch(sizes, data) -> None:
    check_cell_equals_torch(lstm_cell, *sizes, data)


def test_cell_by_hand() -> None:
    """With L = ln 3: σ(L) = 3/4, σ(−L) = 1/4, σ(0) = 1/2, tanh(L/2) = 1/2."""
    L = math.log(3)
    weight_x, weight_h, bias = [[L], [0], [0], [0]], [[0], [L], [0], [0]], [0, 0, L / 2, 0]  # rows: i, f, g, o
    x, h, c, *weights = (
        torch.tensor(t, dtype=torch.float64) for t in ([[1.0]], [[-1.0]], [[2.0]], weight_x, weight_h, bias)
    )
    shown, kept = lstm_cell(x, h, c, *weights)
    assert kept.item() == pytest.approx(1 / 4 * 2 + 3 / 4 * 1 / 2)  # f c + i g
    assert shown.item() == pytest.approx(1 / 2 * math.tanh(7 / 8))  # o tanh(c)


def some_lstm(inputs: int, hidden: int, seed: int) -> nn.LSTM:
    torch.manual_seed(seed)
    lstm = nn.LSTM(inputs, hidden, num_layers=2, batch_first=True).double()
    for parameter in lstm.parameters():
        nn.init.normal_(parameter)
    return lstm


def check_states_equal_torch(candidate, sizes: tuple[int, ...], lengths: list[int], padding: int, seed: int) -> None:
    """Each sequence runs alone through ``torch.nn.LSTM``, without padding, and its states are put in a row by hand."""
    lstm = some_lstm(*sizes, seed)
    x = torch.randn(len(lengths), max(lengths) + padding, sizes[0]).double().requires_grad_()
    rows = []
    for k, length in enumerate(lengths):
        _, (h, c) = lstm(x[k : k + 1, :length])
        rows.append(torch.cat([c[0, 0], h[0, 0], c[1, 0], h[1, 0]]))
    got = candidate(lstm, x, torch.tensor(lengths))
    assert got.shape == (len(lengths), 4 * sizes[1])
    check_gradients((got,), (torch.stack(rows),), [x, *lstm.parameters()], seed)


LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=4)
BOTH = pytest.mark.parametrize("function", [lstm_states, lstm_states_spec], ids=lambda function: function.__name__)


@BOTH
@given(sizes=unequal_sizes(2, high=5), lengths=LENGTHS, padding=st.integers(0, 2), seed=SEEDS)
@settings(max_examples=25)
def test_states_equal_torch(function, sizes, lengths, padding: int, seed: int) -> None:
    check_states_equal_torch(function, sizes, lengths, padding, seed)


@BOTH
@given(lengths=LENGTHS, seed=SEEDS)
@settings(max_examples=25)
def test_padding_does_not_matter(function, lengths, seed: int) -> None:
    lstm, lengths = some_lstm(3, 2, seed), torch.tensor(lengths)
    x = torch.randn(len(lengths), int(lengths.max()) + 1, 3).double()
    behind = torch.arange(x.shape[1]) >= lengths[:, None]
    other = torch.where(behind[..., None], torch.tensor(99.0).double(), x).requires_grad_()
    states = function(lstm, other, lengths)
    assert torch.equal(states, function(lstm, x, lengths))
    (gradient,) = torch.autograd.grad(states.sum(), other)
    assert (gradient[behind] == 0).all()
    assert (gradient[~behind] != 0).any(dim=-1).all(), "a word that no state depends on"


@BOTH
@given(lengths=LENGTHS, seed=SEEDS, data=st.data())
@settings(max_examples=25)
def test_order_of_the_sequences_does_not_matter(function, lengths, seed: int, data) -> None:
    order = data.draw(st.permutations(range(len(lengths))))
    lstm, x = some_lstm(3, 2, seed), torch.randn(len(lengths), max(lengths), 3).double()
    lengths = torch.tensor(lengths)
    assert_close(function(lstm, x[order], lengths[order]), function(lstm, x, lengths)[order], **EXACT)


def test_question_stream_by_hand() -> None:
    """Embedding, tanh, states; and a question is the same alone as among longer ones."""
    torch.manual_seed(1)
    stream, questions = QuestionStream(WORDS, 5, 4).double(), some_questions(7, seed=1)
    vectors = stream(questions)
    assert vectors.shape == (7, stream.features)
    for row, question in zip(vectors, questions, strict=True):
        words = question[question != 0]
        expected = lstm_states_spec(stream.lstm, stream.embed.weight[words].tanh()[None], torch.tensor([len(words)]))
        assert_close(row[None], expected, **EXACT)
        assert_close(row[None], stream(words[None]), **EXACT)


def test_a_repeated_question_is_read_once_and_learned_from_each_time() -> None:
    stream, questions = QuestionStream(WORDS, 5, 4).double(), some_questions(3, seed=2)[[0, 1, 0, 2, 0]]
    alone = torch.cat([stream(row[None]) for row in questions])
    check_gradients((stream(questions),), (alone,), list(stream.parameters()), seed=0)


def check_pool_equals_loops(candidate, n: int, c: int, h: int, w: int, data) -> None:
    grid = data.draw(whole_tensors(n, c, h, w))
    expected = torch.zeros(n, 3 * c).double()
    for i in range(n):
        for channel in range(c):
            for y in range(h):
                for x in range(w):
                    across, down = 2 * x / (w - 1) - 1, 2 * y / (h - 1) - 1  # −1 at the left and at the top
                    for block, weight in enumerate((1, across, down)):
                        expected[i, block * c + channel] += weight * grid[i, channel, y, x]
    assert_close(candidate(grid), expected, **EXACT)


@given(sizes=unequal_sizes(4, high=5), data=st.data())
@settings(max_examples=25)
def test_pool_equals_loops(sizes, data) -> None:
    check_pool_equals_loops(pool, *sizes, data)


@given(sizes=unequal_sizes(2), data=st.data())
def test_moments_follow_an_object(sizes, data) -> None:
    """A step to the right is seen in the second number alone, a step down in the third."""
    h, w = sizes
    y, x = data.draw(st.integers(0, h - 2)), data.draw(st.integers(0, w - 2))

    def pooled(row: int, column: int) -> torch.Tensor:
        grid = torch.zeros(1, 1, h, w).double()
        grid[0, 0, row, column] = 1
        return pool(grid)[0]

    right, down = (2 / (side - 1) for side in (w, h))  # one step of u
    assert_close(pooled(y, x + 1) - pooled(y, x), torch.tensor([0, right, 0], dtype=torch.float64), **EXACT)
    assert_close(pooled(y + 1, x) - pooled(y, x), torch.tensor([0, 0, down], dtype=torch.float64), **EXACT)


def flat_pictures(*colours: tuple[float, float, float]) -> torch.Tensor:
    """Pictures of one colour each, 32×32."""
    return torch.tensor(colours, dtype=torch.float64).view(-1, 3, 1, 1).expand(-1, -1, SIDE, SIDE)


def test_form_sees_the_distance_from_the_ground_and_not_the_direction() -> None:
    """By hand, in the middle of flat pictures: form reads tanh(4 · distance), colour three times the difference."""
    stream, ground, d = small().image_stream, 0.93, 0.3
    away = [(ground - d, ground, ground), (ground, ground, ground - d), (ground - 0.18, ground - 0.24, ground)]
    seen = {}
    for name in ("form", "colour"):
        part = getattr(stream, name)
        part.register_forward_hook(lambda part, inputs, output, name=name: seen.update({name: (inputs[0], output)}))
    stream.detect(flat_pictures(*away))
    figure, form = seen["form"]
    assert_close(figure, torch.full_like(figure, math.tanh(4 * d)), **EXACT)
    assert_close(form, form[:1].expand_as(form), **EXACT)
    shifted, colour = seen["colour"]
    assert_close(shifted[:, :, 0, 0], 3 * (torch.tensor(away, dtype=torch.float64) - ground), **EXACT)
    convolution = stream.colour[1]
    expected = (shifted[:, :, 0, 0] @ convolution.weight[:, :, 0, 0].T + convolution.bias).relu()
    assert_close(colour[:, :, 1, 1], expected, **EXACT)
    assert (colour[0] - colour[1]).abs().max() > 1e-3, "colour must tell directions apart"


def test_colour_sees_means_of_squares_and_keeps_the_largest_response() -> None:
    """A checkerboard of single pixels is, in squares of 2×2, one flat colour."""
    stream = small().image_stream
    board = (torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2
    checkered = 0.4 + 0.4 * board.double().expand(1, 3, SIDE, SIDE)
    assert_close(stream.colour(checkered), stream.colour(flat_pictures((0.6, 0.6, 0.6))), **EXACT)
    spotted = flat_pictures((0.6, 0.6, 0.6)).clone()
    spotted[:, :, :2, :2] = 0.1  # one square of the sixteen that the first place looks at
    both = [stream.colour(flat_pictures((grey,) * 3))[..., 0, 0] for grey in (0.1, 0.6)]
    assert_close(stream.colour(spotted)[..., 0, 0], torch.maximum(*both), **EXACT)


def test_a_channel_begins_with_half_of_the_attributes() -> None:
    """Each attribute is there as a whole or not at all; 600 throws of a coin, and 4 standard deviations."""
    stream = small(attributes=(3, 2), top=300).image_stream
    objectness, *names = stream.combine.weight[:, :, 0, 0].split([1, 3, 2], dim=1)
    assert (objectness == 0).all()
    looked_at = torch.stack([(weight != 0).any(dim=1) for weight in names])
    whole = torch.stack([(weight != 0).all(dim=1) for weight in names])
    assert torch.equal(looked_at, whole)
    assert abs(looked_at.sum().item() - 300) < 4 * math.sqrt(600 / 4)


def test_first_weights_are_as_large_as_said() -> None:
    """torch's own are uniform within ±1/√hidden and ±1/√inputs, and then times 3, 8 and 4."""
    model = small(hidden=40, embedding=30, common=200)
    features = model.image_stream.features
    for weights, bound in (
        (model.question_stream.lstm.weight_hh_l1, 3 / math.sqrt(40)),
        (model.from_question.weight, 8 / math.sqrt(160)),
        (model.from_image.weight, 4 / math.sqrt(features)),
    ):
        assert 0.99 * bound < weights.abs().max().item() <= bound


def check_description(candidate, seed: int) -> None:
    """By hand at every place: o = σ(z_0), then for each attribute o e^z / Σ e^z over its own names."""
    stream, images = small(seed, attributes=(3, 2)).image_stream, some_images(2, seed, height=SIDE, width=2 * SIDE)
    logits, got = stream.detect(images), candidate(stream, images)
    for picture, row, column in itertools.product(*(range(side) for side in (2, *logits.shape[2:]))):
        z = logits[picture, :, row, column].tolist()
        o = 1 / (1 + math.exp(-z[0]))
        expected = [o]
        for names in (z[1:4], z[4:6]):
            expected += [o * math.exp(name) / sum(map(math.exp, names)) for name in names]
        assert_close(got[picture, :, row, column], torch.tensor(expected, dtype=torch.float64), **EXACT)


@given(seed=SEEDS)
@settings(max_examples=5)
def test_description_by_hand(seed: int) -> None:
    check_description(lambda stream, images: stream.describe(images), seed)


def check_one_length(candidate, seed: int) -> None:
    """Each picture alone, by hand: pooled, the constant behind it, divided by the length, times the constant."""
    stream, images = small(seed).image_stream, some_images(3, seed, height=SIDE, width=2 * SIDE)
    vectors = candidate(stream, images)
    assert vectors.shape == (3, stream.features)
    for image, vector in zip(images, vectors, strict=True):
        seen = torch.einsum("tcij,nchw->nthw", stream.combine.weight, stream.describe(image[None])).relu()
        row = torch.cat([pool(seen)[0], torch.tensor([CONSTANT]).double()])
        assert_close(vector, CONSTANT * row / row.square().sum().sqrt(), **EXACT)
        assert vector.norm().item() == pytest.approx(CONSTANT)


@given(seed=SEEDS)
@settings(max_examples=10)
def test_every_picture_has_one_length(seed: int) -> None:
    check_one_length(lambda stream, images: stream(images), seed)


def test_two_things_do_not_look_like_one() -> None:
    """Twice as much of everything, and the normalised vector still tells: the constant entry is not doubled."""
    stream = small().image_stream
    one = stream.describe(some_images(1))
    vectors = []
    for times in (1, 2):
        stream.describe = lambda images, times=times: times * one
        vectors.append(stream(some_images(1))[0])
    assert_close(vectors[0].norm(), vectors[1].norm(), **EXACT)
    assert vectors[1][-1] < 0.99 * vectors[0][-1]
    assert_close(vectors[1][:-1] / vectors[1][-1], 2 * vectors[0][:-1] / vectors[0][-1], **EXACT)


def test_a_thing_between_two_places_counts_once() -> None:
    """Shares of one description, put at different places, add up to the description: the map has no bias."""
    stream = small().image_stream
    description = torch.rand(stream.combine.in_channels).double()
    whole, shared = torch.zeros(2, 1, len(description), 4, 4).double()
    whole[0, :, 1, 1] = description
    shared[0, :, 1, 1], shared[0, :, 1, 2], shared[0, :, 2, 1] = (share * description for share in (0.5, 0.3, 0.2))
    sums = [stream.combine(grid).relu().sum(dim=(2, 3)) for grid in (whole, shared)]
    assert sums[0].max() > 0
    assert_close(*sums, **EXACT)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


GENERATE = settings(database=None, phases=[Phase.generate])  # no shrinking: that it fails is all that is asked


@each(misconceptions.CELLS)
def test_wrong_cell_is_caught(wrong) -> None:
    @given(sizes=unequal_sizes(3, low=1, high=4), data=st.data())
    @GENERATE
    def folder_tests(sizes, data) -> None:
        check_cell_equals_torch(wrong, *sizes, data)

    with pytest.raises(AssertionError):
        folder_tests()


@each(misconceptions.STATES)
def test_wrong_states_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_states_equal_torch(wrong, (3, 2), lengths=[2, 4, 1], padding=1, seed=0)


@each(misconceptions.POOLS)
def test_wrong_pool_is_caught(wrong) -> None:
    @given(sizes=unequal_sizes(4, high=5), data=st.data())
    @GENERATE
    def folder_tests(sizes, data) -> None:
        check_pool_equals_loops(wrong, *sizes, data)

    with pytest.raises(AssertionError):
        folder_tests()


@each(misconceptions.NORMS)
def test_wrong_norm_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_one_length(wrong, seed=0)


@each(misconceptions.DESCRIPTIONS)
def test_wrong_description_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_description(wrong, seed=0)
