"""Equation → function → test

i, f, g, o; c_t, h_t                    lstm_cell        test_cell_by_hand, test_cell_equals_torch
[c1, h1, c2, h2], the last word         lstm_states      test_states_equal_torch, test_padding_does_not_matter
embedding, tanh, LSTM                   QuestionEncoder  test_question_encoder_by_hand
"norm I"                                norm_i           test_norm_by_hand, test_gradient_of_the_norm
z = q ⊙ v; the sum; the concatenation   fuse             test_fusions_by_hand, test_gradient_of_the_product
logits = W_a z + b_a                    VQA              test_equals_each_question_alone
sum, concat: logits = f(q) + g(v)       VQA              test_sum_and_concat_have_no_interaction, test_exclusive_or
the loss of guessing, ln(answers)       build            test_first_loss_is_near_that_of_guessing
"""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from tests.vqa.misconceptions import model as misconceptions
from vqa.model import (
    FUSIONS,
    INPUTS,
    LENGTH,
    VQA,
    QuestionEncoder,
    fuse,
    lstm_cell,
    lstm_states,
    lstm_states_spec,
    norm_i,
)
from vqa.train import CONFIGS, build

WORDS, ANSWERS, SIDE = 10, 6, 16  # token ids, the padding included; answers; pixels
SEEDS = st.integers(0, 10_000)


def equals(got: torch.Tensor, expected: torch.Tensor, equation: str) -> None:
    """Equal to 1e-10; the message begins with the equation."""
    __tracebackhide__ = True
    check_close(equation, got, expected)


def doubles(*rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def check_cell_by_hand(candidate) -> None:
    """With L = ln 3: σ(L) = 3/4, σ(−L) = 1/4, σ(0) = 1/2, tanh(L/2) = 1/2."""
    L = math.log(3)
    weight_x, weight_h, bias = (
        doubles([L], [0], [0], [0]),
        doubles([0], [L], [0], [0]),
        doubles(0, 0, L / 2, 0),
    )  # i f g o
    h, c = candidate(doubles([1]), doubles([-1]), doubles([2]), weight_x, weight_h, bias)
    equals(c, doubles([1 / 4 * 2 + 3 / 4 * 1 / 2]), "c_t = f c + i g, with i = 3/4, f = 1/4, g = 1/2")
    equals(h, doubles([1 / 2 * math.tanh(7 / 8)]), "h_t = o tanh(c_t), with o = 1/2, c_t = 7/8")


def test_cell_by_hand() -> None:
    check_cell_by_hand(lstm_cell)


def check_norm_by_hand(candidate) -> None:
    """(3, 4) has length 5; (0, 2) has length 2."""
    got = candidate(doubles([3, 4], [0, 2]))
    equals(got, LENGTH * doubles([3 / 5, 4 / 5], [0, 1]), "norm I: each image's vector, divided by its own length")


def test_norm_by_hand() -> None:
    check_norm_by_hand(norm_i)


@given(sizes=unequal_sizes(2), seed=SEEDS)
@settings(max_examples=25)
def test_gradient_of_the_norm(sizes, seed: int) -> None:
    r"""With :math:`u = f / \lVert f \rVert`: :math:`dL/df = k (g - (g \cdot u)\, u) / \lVert f \rVert`. It is at right
    angles to f, because the length of f does not change the result."""
    generator = torch.Generator().manual_seed(seed)
    features, g = (torch.randn(sizes, generator=generator).double() for _ in range(2))
    features.requires_grad_()
    (got,) = torch.autograd.grad(norm_i(features), features, g)
    length = features.detach().norm(dim=-1, keepdim=True)
    u = features.detach() / length
    equals(got, LENGTH * (g - (g * u).sum(dim=-1, keepdim=True) * u) / length, "dL/df = k (g − (g·u) u) / |f|")


def test_fusions_by_hand() -> None:
    q, v = doubles([1, 2]), doubles([3, -4])
    equals(fuse(q, v, "product"), doubles([3, -8]), "z_i = q_i v_i")
    equals(fuse(q, v, "sum"), doubles([4, -2]), "z_i = q_i + v_i")
    equals(fuse(q, v, "concat"), doubles([1, 2, 3, -4]), "z = [q, v]")


def check_gradients(got: tuple, expected: tuple, inputs: list, seed: int) -> None:
    """The outputs are equal, and so are the gradients for random cotangents."""
    generator = torch.Generator().manual_seed(seed)
    cotangents = [torch.randn(out.shape, generator=generator, dtype=out.dtype) for out in got]
    for ours, theirs in zip(got, expected, strict=True):
        check_close("the final states of the LSTM", ours, theirs)
    ours, theirs = (torch.autograd.grad(out, inputs, cotangents, retain_graph=True) for out in (got, expected))
    for k, pair in enumerate(zip(ours, theirs, strict=True)):
        check_close(f"the gradient of h and c, by input {k}", *pair)


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
    check_equal("the states with other words behind the end", states, function(lstm, x, lengths))
    (gradient,) = torch.autograd.grad(states.sum(), other)
    check_equal("the gradient by words behind the end", gradient[behind], torch.zeros_like(gradient[behind]))
    assert (gradient[~behind] != 0).any(dim=-1).all(), "a word that no state depends on"


def some_questions(n: int, seed: int = 0) -> torch.Tensor:
    """Questions of one to six words, padded with 0."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(1, WORDS, (n, 6), generator=generator)
    lengths = torch.randint(1, 7, (n, 1), generator=generator)
    return words * (torch.arange(6) < lengths)


def test_question_encoder_by_hand() -> None:
    """Embedding, tanh, states; and a question has the same vector alone and among longer ones."""
    torch.manual_seed(1)
    encoder, questions = QuestionEncoder(WORDS, 5, 4).double(), some_questions(7, seed=1)
    vectors = encoder(questions)
    assert vectors.shape == (7, encoder.features)
    for row, question in zip(vectors, questions, strict=True):
        words = question[question != 0]
        expected = lstm_states_spec(encoder.lstm, encoder.embed.weight[words].tanh()[None], torch.tensor([len(words)]))
        check_close("the states of embedding and tanh", row[None], expected)
        check_close("a question alone and among longer ones", row[None], encoder(words[None]))


def test_a_repeated_question_is_read_once_and_learned_from_each_time() -> None:
    model, questions = small(), some_questions(3, seed=2)[[0, 1, 0, 2, 0]]
    alone = torch.cat([model.question_side(row[None]) for row in questions])
    weights = [*model.question_encoder.parameters(), *model.from_question.parameters()]
    check_gradients((model.question_side(questions),), (alone,), weights, seed=0)
    read = []
    model.question_encoder.register_forward_hook(lambda encoder, inputs, output: read.append(len(output)))
    model.question_side(questions)
    assert read == [3], "three different questions"


def small(seed: int = 0, answers: int = ANSWERS, **changes) -> VQA:
    """A model in float64 that reads pixels; its sizes differ from each other, and it has no dropout."""
    torch.manual_seed(seed)
    sizes = {"encoder": "cnn", "channels": (3, 8), "embedding": 5, "hidden": 4, "common": 7, "dropout": 0.0}
    return build(replace(CONFIGS["toy"], **(sizes | changes)), WORDS, answers).double().eval()


def some_images(m: int, seed: int = 0) -> torch.Tensor:
    """Patchworks of 4×4 colours."""
    patches = torch.rand(m, 3, 4, 4, generator=torch.Generator().manual_seed(seed)).double()
    return nn.functional.interpolate(patches, (SIDE, SIDE))


def check_each_question_alone(candidate, m: int, n: int, fusion: str, seed: int) -> None:
    """``candidate(model, images, questions, image_of)``, against one question at a time by hand. The questions are in
    no order, and an image may have none."""
    model, images, questions = small(seed, fusion=fusion), some_images(m, seed), some_questions(n, seed)
    nn.init.normal_(model.classify.bias)
    image_of = torch.randint(0, m, (n,), generator=torch.Generator().manual_seed(seed))
    for k, got in enumerate(candidate(model, images, questions, image_of)):
        q = model.question_encoder(questions[k : k + 1])[0]
        v = model.image_encoder(images[image_of[k]][None])[0]
        q = torch.tanh(model.from_question.weight @ q + model.from_question.bias)
        v = torch.tanh(model.from_image.weight @ (LENGTH * v / v.square().sum().sqrt()) + model.from_image.bias)
        z = {"product": q * v, "sum": q + v, "concat": torch.cat([q, v])}[fusion]
        equation = f"question {k} about image {image_of[k]}: W_a z + b_a, z = tanh(W_q q + b_q) ⊙ tanh(W_v v + b_v)"
        equals(got, model.classify.weight @ z + model.classify.bias, equation)


def ask(model: VQA, images: torch.Tensor, questions: torch.Tensor, image_of: torch.Tensor) -> torch.Tensor:
    return model(images, questions, image_of)


@pytest.mark.parametrize("fusion", FUSIONS)
@given(sizes=unequal_sizes(2, low=1, high=6), seed=SEEDS)
@settings(max_examples=8)
def test_equals_each_question_alone(fusion: str, sizes, seed: int) -> None:
    check_each_question_alone(ask, *sizes, fusion, seed)


def interaction(candidate, fusion: str, seed: int) -> float:
    """The largest of |logits(a, x) − logits(a, y) − logits(b, x) + logits(b, y)| for random a, b, x, y."""
    model, questions = small(seed, fusion=fusion), some_questions(2, seed).repeat(2, 1)  # a, b, a, b
    with torch.no_grad():
        ax, bx, ay, by = candidate(model, some_images(2, seed), questions, torch.tensor([0, 0, 1, 1]))  # x, x, y, y
    return (ax - ay - bx + by).abs().max().item()


def check_no_interaction(candidate, fusion: str, seed: int) -> None:
    assert interaction(candidate, fusion, seed) < 1e-10, "logits are no sum f(q) + g(v)"


@pytest.mark.parametrize("fusion", ["sum", "concat"])
@given(seed=SEEDS)
@settings(max_examples=10)
def test_sum_and_concat_have_no_interaction(fusion: str, seed: int) -> None:
    check_no_interaction(ask, fusion, seed)


def test_product_has_an_interaction() -> None:
    sizes = sorted(interaction(ask, "product", seed) for seed in range(9))
    assert sizes[4] > 1e-3, sizes  # against 1e-10 above


@pytest.mark.parametrize("fusion", FUSIONS)
def test_exclusive_or(fusion: str) -> None:
    r"""Two questions, two images, and the answer is yes where exactly one of them is the second.

    Without an interaction the margins :math:`s_{qv}` by which the right answers lead satisfy :math:`\sum s = 0`. So not
    all four can be right, and by Jensen the mean of softplus(−s) is at least softplus(0) = ln 2, whatever the weights.
    """
    model, images = small(answers=2, fusion=fusion, hidden=16, common=64), some_images(2)
    questions, image_of = torch.tensor([[1, 2], [3, 0]] * 2), torch.tensor([0, 0, 1, 1])
    answers, losses, right = torch.tensor([0, 1, 1, 0]), [], 0
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(80):
        logits = model(images, questions, image_of)
        loss = cross_entropy(logits, answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        right = (logits.argmax(dim=-1) == answers).sum().item()
    if fusion == "product":
        assert losses[-1] < 0.05, losses[-1]
        assert right == 4
    else:
        assert min(losses) >= math.log(2) - 1e-12
        assert right <= 3


@given(sizes=unequal_sizes(2), data=st.data())
def test_gradient_of_the_product(sizes, data) -> None:
    """dL/dq = dL/dz ⊙ v, and dL/dv = dL/dz ⊙ q."""
    q, v, cotangent = (data.draw(whole_tensors(*sizes)) for _ in range(3))
    q.requires_grad_(), v.requires_grad_()
    to_q, to_v = torch.autograd.grad(fuse(q, v, "product"), (q, v), cotangent)
    equals(to_q, cotangent * v.detach(), "dL/dq = dL/dz ⊙ v")
    equals(to_v, cotangent * q.detach(), "dL/dv = dL/dz ⊙ q")


@pytest.mark.parametrize("fusion", FUSIONS)
def test_one_input_alone(fusion: str) -> None:
    questions, images = some_questions(6), some_images(2).requires_grad_()
    image_of = torch.tensor([0, 0, 0, 1, 1, 1])
    model = small(fusion=fusion, inputs="question")
    logits = model(images, questions, image_of)
    check_close("logits of the question alone, with other images", logits, model(images.flip(0), questions, image_of))
    assert torch.autograd.grad(logits.sum(), images, allow_unused=True) == (None,)
    assert logits.std(dim=0).max() > 1e-6, "does not depend on the question"
    model = small(fusion=fusion, inputs="image")
    logits = model(images, questions, image_of)
    check_close("logits of the image alone, with other questions", logits, model(images, questions.flip(0), image_of))
    check_close("logits of the image alone", logits, logits[[0, 0, 0, 5, 5, 5]])
    assert (logits[0] - logits[5]).abs().max() > 1e-6, "does not depend on the image"


def test_dropout_is_between_fusion_and_classifier() -> None:
    """In training an entry of z is 0 with probability p, and z/(1 − p) otherwise; the classifier reads all of it."""
    model, inputs = small(dropout=0.25, common=200), (some_images(2), some_questions(6), torch.tensor([0, 1] * 3))
    model.classify = nn.Identity()
    z, dropped = model(*inputs), model.train()(*inputs)
    kept = dropped != 0
    equals(dropped[kept], z[kept] / 0.75, "z/(1 − p)")
    assert abs(kept.double().mean().item() - 0.75) < 4 * math.sqrt(0.25 * 0.75 / kept.numel())  # 4 standard deviations
    model.classify = nn.Linear(200, ANSWERS).double()
    nn.init.zeros_(model.classify.weight)
    equals(model(*inputs), model.classify.bias.expand(6, ANSWERS), "logits are not dropped: W_a = 0 gives b_a")


@given(sizes=unequal_sizes(3, low=2, high=40))
@settings(max_examples=20)
def test_fusions_have_the_same_number_of_parameters(sizes) -> None:
    hidden, common, answers = sizes
    count = {
        fusion: sum(p.numel() for p in small(fusion=fusion, hidden=hidden, common=common, answers=answers).parameters())
        for fusion in FUSIONS
    }
    assert count["sum"] == count["product"]
    model = small(hidden=hidden)
    unit = model.question_encoder.features + 1 + model.image_encoder.features + 1 + 2 * answers  # of a concatenation
    assert abs(count["concat"] - count["product"]) <= unit


@pytest.mark.parametrize(("name", "wrong", "allowed"), [("fusion", "add", FUSIONS), ("inputs", "none", INPUTS)])
def test_wrong_choice_is_named(name: str, wrong: str, allowed: tuple[str, ...]) -> None:
    model = small()
    with pytest.raises(ValueError, match=f"{name} must be one of {', '.join(allowed)}, got '{wrong}'"):
        VQA(model.question_encoder, model.image_encoder, ANSWERS, **{name: wrong})


def test_dropout_acts_in_training_only_and_comes_from_the_seed() -> None:
    model, images, questions = small(dropout=0.5, common=50), some_images(2), some_questions(6)
    image_of = torch.tensor([0, 1, 0, 1, 0, 1])
    check_equal(
        "without training there is no dropout",
        model(images, questions, image_of),
        small(common=50)(images, questions, image_of),
    )
    model.train()
    torch.manual_seed(5)
    first, second = model(images, questions, image_of), model(images, questions, image_of)
    torch.manual_seed(5)
    check_equal("dropout with the same seed", first, model(images, questions, image_of))
    assert not torch.allclose(first, second)


def test_first_weights_are_as_large_as_said() -> None:
    """torch's own are uniform within ±1/√hidden and ±1/√inputs; here times 3, 8 and 4."""
    model = small(hidden=40, embedding=30, common=200)
    for weights, bound in (
        (model.question_encoder.lstm.weight_hh_l1, 3 / math.sqrt(40)),
        (model.from_question.weight, 8 / math.sqrt(160)),
        (model.from_image.weight, 4 / math.sqrt(model.image_encoder.features)),
    ):
        assert 0.99 * bound < weights.abs().max().item() <= bound


@pytest.mark.parametrize("seed", range(3))
def test_first_loss_is_near_that_of_guessing(seed: int) -> None:
    """ln(answers), and little more: entries of z are within ±1 (tanh), and ``nn.Linear`` begins with weights of
    variance 1/(3·common), so a logit's variance s² is at most 1/3, and ln Σ exp adds about s²/2: at most 1/6."""
    answers = 27
    model, questions = small(seed, answers, embedding=64, hidden=64, common=1024), some_questions(24, seed)
    with torch.no_grad():
        logits = model(some_images(4, seed), questions, torch.arange(24) % 4)
    loss = torch.stack([cross_entropy(logits, torch.full((24,), k)) for k in range(answers)]).mean().item()
    assert loss < math.log(answers) + 1 / 6  # (the mean over all answers is never below ln, by Jensen)


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


@each(misconceptions.STATES)
def test_wrong_states_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_states_equal_torch(wrong, (3, 2), lengths=[2, 4, 1], padding=1, seed=0)


@each(misconceptions.NORMS)
def test_wrong_norm_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_norm_by_hand(wrong)


@each(misconceptions.ANSWERS)
def test_wrong_answer_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_each_question_alone(wrong, 3, 6, "product", seed=0)


@each(misconceptions.INTERACTIONS)
def test_wrong_sum_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_no_interaction(wrong, "sum", seed=0)
