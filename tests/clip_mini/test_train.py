"""What is promised → test

a step: the loss, its gradient, AdamW, the clamp   test_the_loop_by_hand
the scale stays at most 100, and can come back     test_the_scale_is_clamped_at_100
no weight decay on gains, biases and the scale     test_every_parameter_is_in_one_group
a rise, a peak, and nothing at the end             test_rates_by_hand
one seed, the same bits                            test_same_seed_same_weights
it learns colours and shapes                       test_learns_colours_and_shapes
the core trains by itself in another project       test_core_trains_where_nothing_else_can_be_imported
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize, one_hot

from clip_mini.data import Batch, encode, toy_tokenizer
from clip_mini.image_encoders import ResidualCNN, VisionTransformer
from clip_mini.model import CLIP, LARGEST_SCALE
from clip_mini.train import CONFIGS, Config, build, build_optimizer, train
from clip_mini.zero_shot import class_embeddings, classify
from tests.alone import check_alone
from tests.clip_mini.misconceptions import train as misconceptions
from tests.clip_mini.test_model import Features, each, float64, random_tensor
from tests.teach import check_close, check_equal
from toyworld.drawing import draw
from toyworld.rng import Rng
from toyworld.scenes import BACKGROUND, RGB, SHOWN, Object, Scene, jittered
from toyworld.tokenizer import END

ROOT = Path(__file__).parents[2]
PAIRS, SMALL = 4, Config(steps=6, pairs=4, learning_rate=0.1, weight_decay=0.5, warmup=2, clip=None)


# ---- the loop


class BagOfWords(nn.Module):
    """The sum of one-hot words, times a gain of its own for each."""

    features = 5

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor([1.0, 0.5, 2.0, -1.0, 1.5]).double())

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        return self.gain * one_hot(texts, 5).double().sum(dim=1)


def linear_clip(log_scale: float = 1.0) -> CLIP:
    """Two matrices, a vector of gains and the scale: all that the loop can do to parameters can be written down."""
    torch.manual_seed(0)
    model = CLIP(Features(3), BagOfWords(), 2).double()
    nn.init.constant_(model.log_scale, log_scale)
    return model


def linear_batch(step: int) -> Batch:
    texts = torch.randint(0, 5, (PAIRS, 3), generator=torch.Generator().manual_seed(step))
    return Batch(random_tensor(PAIRS, 3, seed=step), texts)


def loss_by_hand(w_image, w_text, gain, t, step: int) -> torch.Tensor:
    images, texts = linear_batch(step)
    u, v = normalize(images @ w_image.T), normalize((gain * one_hot(texts, 5).double().sum(dim=1)) @ w_text.T)
    similarity = t.exp() * u @ v.T
    losses = [
        similarity[i].logsumexp(0) + similarity[:, i].logsumexp(0) - 2 * similarity[i, i] for i in range(PAIRS)
    ]  # fmt: skip
    return sum(losses) / (2 * PAIRS)


def check_the_loop(candidate: Callable, steps: range, first: float) -> None:
    """AdamW: m ← 0.9 m + 0.1 g, v ← 0.98 v + 0.02 g², w ← (1 - r · decay) w - r m̂ / (√v̂ + 10⁻⁶), with the rate r and
    bias-corrected m̂ and v̂; decay is 0.5 on matrices and 0 on gains and t. Then t is kept at most ln 100."""
    model, asked, logged = linear_clip(first), [], []
    own = (model.image_projection.weight, model.text_projection.weight, model.text_encoder.gain, model.log_scale)
    w = [parameter.detach().clone() for parameter in own]
    m, v = [torch.zeros_like(p) for p in w], [torch.zeros_like(p) for p in w]
    optimizer, scheduler = build_optimizer(model, SMALL)

    def batch_at(step: int) -> Batch:
        asked.append(step)
        return linear_batch(step)

    candidate(model, optimizer, scheduler, batch_at, steps, lambda step, **numbers: logged.append((step, numbers)))
    assert asked == [step for step, _ in logged] == list(steps), f"batches {asked}, expected {list(steps)}"
    for n, step in enumerate(steps):
        w = [p.requires_grad_() for p in w]
        loss = loss_by_hand(*w, step)
        gradients = torch.autograd.grad(loss, w)
        rate = SMALL.learning_rate * min(1, (n + 1) / 2) * (1 + math.cos(math.pi * n / 6)) / 2
        for k, g in enumerate(gradients):
            m[k], v[k] = 0.9 * m[k] + 0.1 * g, 0.98 * v[k] + 0.02 * g**2
            step_of_adam = m[k] / (1 - 0.9 ** (n + 1)) / ((v[k] / (1 - 0.98 ** (n + 1))).sqrt() + 1e-6)
            w[k] = ((1 - rate * (0.5 if k < 2 else 0)) * w[k] - rate * step_of_adam).detach()
        w[3] = w[3].clamp(max=math.log(100))
        check_close(f"step {step}: the loss that is logged", logged[n][1]["loss"], loss)
        check_close(f"step {step}: the scale that is logged", logged[n][1]["scale"], w[3].exp())
    for name, got, expected in zip(("W_i", "W_t", "the gains", "t"), own, w, strict=True):
        check_close(f"{name} after {len(steps)} steps", got, expected, relative=1e-9)


@pytest.mark.parametrize("steps", [range(1), range(5), range(3, 6), range(0)], ids=str)
def test_the_loop_by_hand(steps: range) -> None:
    check_the_loop(train, steps, first=1.0)


def test_the_loop_by_hand_at_the_largest_scale() -> None:
    check_the_loop(train, range(4), first=math.log(500))


def test_the_scale_is_clamped_at_100() -> None:
    """From above it comes back at once, and it is learned there as everywhere: wrong pairs make it smaller again."""
    model, scales = linear_clip(math.log(500)), []
    optimizer, scheduler = build_optimizer(model, SMALL)
    wrong = Batch(random_tensor(PAIRS, 3, seed=0), linear_batch(1).texts)
    train(model, optimizer, scheduler, lambda step: wrong, range(6), lambda step, loss, scale: scales.append(scale))
    assert max(scales) <= 100 + 1e-9, scales
    assert scales[0] == pytest.approx(math.exp(LARGEST_SCALE)) == pytest.approx(100)
    assert scales[-1] < 99, f"the scale does not come down from its limit: {scales}"


@pytest.mark.filterwarnings("ignore:Detected call of")  # torch's, about a scheduler that steps first
@each(misconceptions.LOOPS)
def test_wrong_loop_is_caught(wrong: Callable) -> None:
    def all_checks() -> None:
        check_the_loop(wrong, range(5), first=1.0)
        check_the_loop(wrong, range(2), first=math.log(500))

    with pytest.raises(AssertionError):
        all_checks()


# ---- the optimizer


def check_groups(candidate: Callable) -> None:
    """Each parameter is in exactly one group; matrices and kernels decay, gains, biases and log_scale do not."""
    for kind in ("cnn", "vit"):
        config = Config(image_encoder=kind, image_size=16, weight_decay=0.25)
        model = build(config, words=9, end=END)
        optimizer, _ = candidate(model, config)
        for name, parameter in model.named_parameters():
            decays = [
                group["weight_decay"] for group in optimizer.param_groups for p in group["params"] if p is parameter
            ]
            expected = 0.25 if parameter.ndim > 1 else 0.0
            assert decays == [expected], f"weight decay of {name}: got {decays}, expected [{expected}]"


def test_every_parameter_is_in_one_group() -> None:
    check_groups(build_optimizer)


@each(misconceptions.GROUPS)
def test_wrong_groups_are_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_groups(wrong)


def check_optimizer_without_gradient(candidate: Callable) -> None:
    """Decay alone: with a gradient of 0, a step of rate r shrinks a matrix by 1 - r · decay, and leaves biases."""
    model = nn.Linear(2, 2).double()
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    optimizer, _ = candidate(model, Config(steps=10, warmup=1, learning_rate=0.1, weight_decay=0.5))
    model.weight.grad, model.bias.grad = torch.zeros_like(weight), torch.zeros_like(bias)
    optimizer.step()
    check_close("W ← (1 - 0.1 · 0.5) W", model.weight, 0.95 * weight)
    check_close("b ← b", model.bias, bias)


def test_weight_decay_by_hand() -> None:
    check_optimizer_without_gradient(build_optimizer)


@each(misconceptions.OPTIMIZERS)
def test_wrong_weight_decay_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_optimizer_without_gradient(wrong)


def check_clipping(candidate: Callable) -> None:
    """The gradients (2, 3) of one matrix and 6 of another have the length 7 together. A limit of 1 divides all by 7,
    one of 8 or none changes nothing. The step itself uses what is left: Adam's first moment is a tenth of it."""
    for limit, factor in ((1.0, 1 / 7), (3.5, 1 / 2), (8.0, 1.0), (None, 1.0)):
        model = nn.ModuleList([nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False)]).double()
        optimizer, _ = candidate(model, Config(steps=10, warmup=1, clip=limit))
        first, second = model.parameters()
        first.grad, second.grad = float64([[2, 3]]), float64([[6]])
        optimizer.step()
        for parameter, gradient in ((first, [[2, 3]]), (second, [[6]])):
            moment = optimizer.state[parameter]["exp_avg"]
            check_close(f"g, clip = {limit}", 10 * moment, factor * float64(gradient), relative=1e-5)


def test_clipping_by_hand() -> None:
    check_clipping(build_optimizer)


@each(misconceptions.CLIPPINGS)
def test_wrong_clipping_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_clipping(wrong)


def check_rates(candidate: Callable) -> None:
    """8 steps, 2 of them warmup, rate 1: (n + 1)/2 for n < 2, times (1 + cos(π n/8))/2."""
    optimizer, scheduler = candidate(nn.Linear(2, 2), Config(steps=8, warmup=2, learning_rate=1.0))
    rates = []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        assert len({group["lr"] for group in optimizer.param_groups}) == 1
        optimizer.step()
        scheduler.step()
    root = math.sqrt(0.5)  # cos(π/4)
    expected = {0: 1 / 2, 1: (1 + math.cos(math.pi / 8)) / 2, 2: (1 + root) / 2, 4: 1 / 2, 6: (1 - root) / 2, 8: 0}
    for n, rate in expected.items():
        check_close(f"the rate of step {n} of 8", rates[n], rate)
    assert rates[7] > 0, "the last step moves"


def test_rates_by_hand() -> None:
    check_rates(build_optimizer)


@each(misconceptions.RATES)
def test_wrong_rate_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_rates(wrong)


@pytest.mark.parametrize("name", CONFIGS)
def test_each_configuration_warms_up_and_builds(name: str) -> None:
    config = CONFIGS[name]
    assert config.warmup <= config.steps // 5
    own = Features(7) if config.image_encoder == "features" else None
    model = build(config, words=20, end=END, image_encoder=own)
    kinds = {"vit": VisionTransformer, "cnn": ResidualCNN, "features": Features}
    assert isinstance(model.image_encoder, kinds[config.image_encoder])
    texts = torch.full((2, config.context), END)
    images = torch.rand(2, 7) if own else torch.rand(2, 3, config.image_size, config.image_size)
    image, text = model(images, texts)
    assert image.shape == text.shape == (2, config.common)


def test_build_takes_another_image_encoder() -> None:
    features = Features(7)
    model = build(Config(), words=20, end=END, image_encoder=features)
    assert model.image_encoder is features
    assert model.image_projection.in_features == 7
    assert model.text_encoder.end == END


# ---- learning

TOKENIZER = toy_tokenizer("english")
TINY = Config(
    steps=200, pairs=40, image_size=24, channels=(16, 32), heads=4, context=5, text_width=16, text_layers=1,
    text_heads=2, common=32, learning_rate=5e-3, weight_decay=0.1, warmup=10,
)  # fmt: skip


def portraits(name: str, count: int) -> tuple[torch.Tensor, list[tuple[str, str]]]:
    """Images of one object that fills most of the image, near its centre; and their pairs of colour and shape."""
    rng, scenes, pairs = Rng(name), [], [SHOWN[k % len(SHOWN)] for k in range(count)]
    for colour, shape in pairs:
        x, y, radius = rng.between(0.45, 0.55), rng.between(0.45, 0.55), rng.between(0.35, 0.4)
        one = Object(shape, colour, "large", x, y, radius, jittered(rng, RGB[colour]))
        scenes.append(Scene((one,), BACKGROUND, rng.random()))
    return draw(scenes, TINY.image_size), pairs


def names(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"a {colour} {shape}" for colour, shape in pairs]


def ids(texts: Sequence[str]) -> torch.Tensor:
    return encode(TOKENIZER, texts, TINY.context)


def tiny_batch(step: int) -> Batch:
    images, pairs = portraits(f"train/{step}", TINY.pairs)
    return Batch(images, ids(names(pairs)))


def train_tiny(steps: int, seed: int) -> tuple[CLIP, list[float]]:
    torch.manual_seed(seed)
    model, losses = build(TINY, len(TOKENIZER), END), []
    optimizer, scheduler = build_optimizer(model, TINY)
    train(model, optimizer, scheduler, tiny_batch, range(steps), lambda step, loss, scale: losses.append(loss))
    return model, losses


def test_learns_colours_and_shapes() -> None:
    """40 pairs of colour and shape, each once in a batch: the loss starts at ln 40 = 3.7 or above. Chance is 1/40; with
    the colour alone, 5 shapes are left: 1/5."""
    model, losses = train_tiny(TINY.steps, seed=0)
    images, pairs = portraits("test", 200)
    with torch.no_grad():
        classes = class_embeddings(model.encode_text, ids, [[name] for name in names(SHOWN)])
        chosen = classify(model.encode_image(images), classes, model.log_scale).argmax(dim=1)
    right = sum(SHOWN[k] == pair for k, pair in zip(chosen.tolist(), pairs, strict=True)) / len(pairs)
    assert losses[0] > math.log(40) - 0.5, f"the first loss is {losses[0]}: nothing was left to learn"
    assert losses[-1] < math.log(5), f"the last loss is {losses[-1]}: that of the colour alone is ln 5"
    assert right > 0.4, f"accuracy {right}: chance is 0.025, and the colour alone gives 0.2"


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_same_seed_same_weights() -> None:
    one, again, other = (weights(train_tiny(4, seed)[0]) for seed in (0, 0, 1))
    check_equal("the weights after 4 steps with the same seed", one, again)
    assert not torch.allclose(one, other)


ALONE = """
from clip_mini.train import Config, build, build_optimizer, train

def batch_at(step):
    generator = torch.Generator().manual_seed(step)
    return torch.rand(2, 3, 16, 16, generator=generator), torch.tensor([[1, 4, 2], [1, 2, 0]])

for kind in ("cnn", "vit"):
    config = Config(image_encoder=kind, image_size=16)
    model = build(config, words=5, end=2)
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, batch_at, range(2), lambda step, loss, scale: losses.append(loss))
"""


def test_core_trains_where_nothing_else_can_be_imported(tmp_path: Path) -> None:
    check_alone(tmp_path, "clip_mini", ("loss", "model", "image_encoders", "zero_shot", "train"), ALONE, steps=4)
