"""``lab.library``: what a package exports checks its arguments."""

import inspect
import pickle
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from annotated_types import Ge
from jaxtyping import Float, Int
from torch import Tensor

import cgan
import clip_mini
import detector
import show_attend_tell
import stft
import toyworld
import vqa
import word2vec
from lab.library import allowed, check_methods, checked

PACKAGES = (word2vec, clip_mini, show_attend_tell, cgan, vqa, stft, detector, toyworld)
SCENE = toyworld.scene_at("train", 0, 0)
SOUND, SPECTRUM = torch.zeros(900), torch.zeros(201, 9, dtype=torch.complex64)
ONES, IDS = torch.ones, torch.zeros(3, dtype=torch.int64)
BYTES = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
FACT = toyworld.Exists(toyworld.Description())
RNG = toyworld.Rng("x")
CAPTIONER = show_attend_tell.Captioner(9, 3, 4, 5, 2)
A_FLOAT = "must be a float tensor of shape"

WRONG: dict[str, tuple[Callable, str]] = {
    # no tensor
    "array": (
        lambda: stft.stft(np.zeros(9)),
        "stft: waveform must be a tensor .* got a NumPy array: float64 of shape .9",
    ),
    "array of vectors": (lambda: word2vec.nearest(np.ones((5, 3)), 1, 2), "vectors .* torch.from_numpy makes a tensor"),
    "list of ids": (lambda: word2vec.SkipGram(9, 2).scores([1], [2]), "SkipGram.scores: centres must .*, got a list"),
    "number": (lambda: stft.decibels(1.0), rf"decibels: x {A_FLOAT} \(\*shape,\), got 1.0"),
    "scale": (lambda: clip_mini.pairwise_similarity(ONES(3, 4), ONES(3, 4), 2.0), "log_scale .*, got 2.0"),
    "name of a window": (lambda: stft.stft(SOUND, window="hann"), "stft: window must be .* or None, got 'hann'"),
    "window's name": (lambda: stft.amplitude(SPECTRUM, "hann", 400), "amplitude: window .*, got 'hann'"),
    # a tensor of another kind
    "real spectrum": (
        lambda: stft.istft(SPECTRUM.real),
        "istft: spectrum must be a complex tensor .*, got float32 of sh",
    ),
    "real, vocoder": (lambda: stft.phase_vocoder(SPECTRUM.real, 2.0), "spectrum must be a complex tensor"),
    "real, units": (lambda: stft.mean_square(SPECTRUM.real, ONES(400), 400), "spectrum must be a complex tensor"),
    "complex magnitudes": (lambda: stft.griffin_lim(SPECTRUM), f"magnitudes {A_FLOAT} .*, got complex64"),
    "bytes": (lambda: detector.detect(detector.Detector(), BYTES), f"detect: images {A_FLOAT} .*, got uint8 of shape"),
    "bytes, grid": (lambda: detector.Detector().grid(BYTES), "Detector.grid: images .*, got uint8"),
    "float ids": (lambda: word2vec.softmax_loss(ONES(3, 5), ONES(3)), "contexts must be an integer tensor"),
    # another shape
    "column": (
        lambda: word2vec.negative_sampling_loss(ONES(3, 1), ONES(3, 5)),
        rf"negative_sampling_loss: positive_scores {A_FLOAT} \(n,\), got float32 of shape \(3, 1\)",
    ),
    "other n": (
        lambda: word2vec.negative_sampling_loss(ONES(3), ONES(1, 5)),
        rf"noise_scores {A_FLOAT} \(n, k\) with n = 3, got float32 of shape \(1, 5\)",
    ),
    "one context": (lambda: word2vec.SkipGram(9, 2).scores(IDS, IDS[:1]), "contexts .* with n = 3, got int64 of shape"),
    "four words": (lambda: word2vec.complete(ONES(5, 3), IDS.new_zeros(2, 4)), r"questions .*\(n, 3\), got .*\(2, 4\)"),
    "one a": (lambda: word2vec.three_cos_add(ONES(5, 3), IDS[:1], IDS, IDS), "b must be .* with n = 1, got"),
    "not square": (lambda: clip_mini.contrastive_loss(ONES(3, 4)), r"similarity .*\(n, n\), got float32 of shape"),
    "other d": (lambda: clip_mini.pairwise_similarity(ONES(3, 4), ONES(3, 5), ONES(())), "text .* with d = 4, got"),
    "fused": (lambda: vqa.fuse(ONES(3, 4), ONES(1, 4), "sum"), "fuse: v .* with n = 3, d = 4, got float32 of shape"),
    "one image": (lambda: detector.detect(detector.Detector(), BYTES[0].float()), "got float32 of shape .3, 64, 64"),
    "column, fakes": (
        lambda: cgan.value(ONES(3), ONES(3, 1)),
        r"value: fake_logits .* \(m,\), got float32 of shape .3, 1",
    ),
    "wrong pairs": (lambda: cgan.matching_aware_value(ONES(3), ONES(1), ONES(4)), "wrong .* with n = 3, got .* .1,"),
    "true pairs": (
        lambda: cgan.joint_embedding_loss(ONES(3, 3), ONES(3, 3)),
        r"true must be a boolean tensor of shape \(n, n\) with n = 3, got float32",
    ),
    "one-hot": (
        lambda: cgan.MLPGenerator(3, 2, 2, 4)(ONES(3, 2), torch.eye(3)),
        "MLPGenerator.forward: labels .* inte",
    ),
    "one sentence": (
        lambda: cgan.TextGenerator(4, 3, 5, (8, 4, 4))(ONES(2, 3), ONES(1, 4)),
        r"TextGenerator.forward: vectors .* with n = 2, got float32 of shape .1, 4",
    ),
    "targets": (
        lambda: show_attend_tell.caption_loss(ONES(2, 3, 9), IDS),
        r"caption_loss: targets .* with \*n = \(2,\), t = 3, got",
    ),
    "lengths": (
        lambda: show_attend_tell.doubly_stochastic(ONES(2, 3, 4), IDS[:1]),
        r"lengths .* got int64 of shape .1,",
    ),
    "one caption": (
        lambda: CAPTIONER(ONES(2, 6, 3), IDS[None]),
        r"Captioner.forward: captions .* with n = 2, got int64 of shape .1, 3",
    ),
    "pixels": (lambda: CAPTIONER.start(BYTES), "Captioner.start: annotations must be an Annotations, got uint8"),
    # one thing where a list is meant, and a text where words are meant
    "scene": (
        lambda: toyworld.draw(SCENE),
        "draw: scenes must be a sequence, .* a Scene, got a Scene; put it into a list",
    ),
    "masked scene": (lambda: toyworld.masks(SCENE), "masks: scenes .*; put it into a list"),
    "objects": (lambda: toyworld.draw(list(SCENE.objects)), "scenes must .*, got a list with an Object at index 0"),
    "scenes": (lambda: toyworld.hear([SCENE]), "hear: scene must be a Scene, got a list"),
    "fact": (
        lambda: toyworld.say(FACT, "english", RNG),
        "facts .* an Exists or a Count or a Relation, got an Exists; put",
    ),
    "judged fact": (lambda: toyworld.judge(FACT, SCENE), "judge: facts .*; put it into a list"),
    "answer": (lambda: vqa.vqa_accuracy("yes", "yes"), "answers must be a sequence, and each item a string, got 'yes'"),
    "wrong item": (lambda: vqa.vqa_accuracy("2", ["2", 2]), "answers must .*, got a list with 2 at index 1"),
    "sentence": (
        lambda: word2vec.Vocabulary(("a", "b"), (2, 1)).ids("a b"),
        "sentence must be a list of words, got the",
    ),
    "one size": (lambda: word2vec.draw_noise(ONES(4), 5, torch.Generator()), "size must be a sequence, .*, got 5"),
    "waveform": (lambda: list(stft.stream_stft(SOUND)), "chunks must be .*, got a single number; one waveform is"),
    "words": (lambda: word2vec.build_vocabulary(["a", "b"]), "counts must be a Counter, got a list"),
    # other values
    "float": (lambda: stft.hann(400.0), "hann: n must be an int, got 400.0"),
    "bool": (lambda: stft.hann(True), "hann: n must be an int, got True"),
    "text": (lambda: toyworld.scene_at("train", "0", 0), "scene_at: seed must be an int, got '0'"),
    "choice": (lambda: stft.mel_filter_bank(mel_scale="bark"), "mel_scale must be one of 'htk', 'slaney', got 'bark'"),
    "one choice": (lambda: stft.mel_filter_bank(norm="area"), "norm must be 'slaney' or None, got 'area'"),
    "two meanings": (lambda: stft.stft(SOUND, normalized=True), "normalized must be one of False, .*, got True"),
    "word": (lambda: word2vec.nearest(ONES(5, 3), "king", 2), "nearest: word must be an int, got 'king'"),
    "last word": (lambda: word2vec.nearest(ONES(5, 3), -1, 2), "ids of words must be from 0 to 4, got -1"),
    "no such word": (lambda: word2vec.cosines(ONES(5, 3), IDS + 5), "ids of words must be from 0 to 4, got 5"),
    "asked id": (lambda: word2vec.complete(ONES(5, 3), IDS[None] - 1), "ids of words must be from 0 to 4, got -1"),
    "seed": (lambda: toyworld.tell(SCENE, "english", 0), "tell: rng must be a Rng, got 0"),
    "configuration": (
        lambda: word2vec.build_optimizer(word2vec.SkipGram(3, 2), word2vec.Config(steps=0)),
        "build_optimizer: config.steps must be greater than or equal to 1, got 0",
    ),
    "its name": (lambda: clip_mini.build("toy", 50, 2), "build: config must be a Config, got 'toy'"),
    "fusion": (
        lambda: vqa.fuse(ONES(3, 4), ONES(3, 4), "mul"),
        "fusion must be one of product, sum, concat, got 'mul'",
    ),
    "relation": (
        lambda: toyworld.related("near", *2 * SCENE.objects[:1]),
        "relation must be one of left of, .* 'near'",
    ),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_named(wrong: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        wrong()
    assert "\n" not in str(raised.value)


def test_objects_that_a_function_returns_are_checked_too() -> None:
    model = clip_mini.build(clip_mini.CONFIGS["toy"], 9, 2)
    with pytest.raises(ValueError, match=r"CLIP.encode_image: images must be a float tensor .*, got uint8"):
        model.encode_image(BYTES[..., :48, :48])
    with pytest.raises(ValueError, match=r"CLIP.encode_text: texts must be an integer tensor .*, got a list"):
        model.encode_text(["a star"])


class Nested(torch.nn.Module):
    """A model whose method calls another one with what only a caller from outside may not give."""

    def forward(self, x: Float[Tensor, " n"]) -> int:
        return self.inner(x[None])

    def inner(self, x: Float[Tensor, " n"]) -> int:
        """The number of axes."""
        return x.dim()


def test_only_the_call_from_outside_is_checked() -> None:
    check_methods(Nested, "Nested")
    model = Nested()
    assert model(ONES(3)) == 2
    with pytest.raises(ValueError, match=r"^Nested\.inner: x must be"):
        model.inner(ONES(1, 3))
    with pytest.raises(ValueError, match=r"^Nested\.forward: x must be"):  # also after a call that was right
        model(ONES(1, 3))


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, Ge(1)] = 1


def example(
    x: Float[Tensor, "n *k"], ids: Int[Tensor, " n"] | None = None, how: Literal["a", "b"] = "a", rate: float = 1.0,
    size: tuple[int, ...] = (), others: Float[Tensor, " *k"] | None = None,
    then: Callable[[Tensor], Tensor] | None = None, settings: Settings = Settings(),
    **options: object,
) -> tuple:  # fmt: skip
    """An example."""
    return x, ids, how, rate, size, others, then, settings, options


@pytest.mark.parametrize(
    "given",
    [
        {"x": torch.ones(3, 1, 2), "ids": IDS},
        {"x": torch.ones(3, dtype=torch.float16), "how": "b"},
        {"x": torch.nn.Parameter(torch.ones(0)), "ids": IDS[:0]},
        {"x": ONES(2), "rate": 2},
        {"x": ONES(2), "rate": np.float32(2)},
        {"x": ONES(2), "size": [1, np.int64(2)]},
        {"x": ONES(2), "size": torch.Size([1, 2])},
        {"x": ONES(2), "size": np.array([1, 2])},
        {"x": ONES(2), "then": torch.relu, "settings": Settings(2), "free": "hann"},
    ],
)
def test_what_is_allowed_arrives_as_it_is(given) -> None:
    for got, value in zip(checked(example, "example")(**given), example(**given), strict=True):
        assert got is value or got == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": torch.ones(())}, r"x must be a float tensor of shape \(n, \*k\), got float32 of shape \(\)"),
        ({"x": ONES(2), "ids": IDS}, r"ids must be an integer tensor of shape \(n,\) with n = 2 or None, got int64"),
        ({"x": ONES(2, 3), "others": ONES(4)}, r"others must be .* \(\*k,\) with \*k = \(3,\) or None, got float32 of"),
        ({"x": ONES(2), "how": "c"}, "how must be one of 'a', 'b', got 'c'"),
        ({"x": ONES(2), "rate": True}, "rate must be a float, got True"),
        ({"x": ONES(2), "rate": "2"}, "rate must be a float, got '2'"),
        (
            {"x": ONES(2), "size": (1, 2.5)},
            "size must be a sequence, and each item an int, got a tuple with 2.5 at index 1",
        ),
        ({"x": ONES(2), "size": "12"}, "size must be .*, got '12'"),
        ({"x": ONES(2), "then": 3}, "then must be a function or None, got 3"),
        ({"x": ONES(2), "settings": Settings(0)}, "settings.steps must be greater than or equal to 1, got 0"),
        ({"x": "빨간색 원"}, "x must be a float tensor .*, got '빨간색 원'"),
    ],
)
def test_what_is_not_allowed(given, message: str) -> None:
    with pytest.raises(ValueError, match=f"^example: {message}"):
        checked(example, "example")(**given)


def test_a_compiled_function_has_no_checks(monkeypatch) -> None:
    """Torch would trace them, with a warning for each."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert checked(example, "example")("no tensor")[0] == "no tensor"


@dataclass(frozen=True)
class Record:
    x: Float[Tensor, " n"]
    ids: Int[Tensor, " n"]


def reads(record: Record) -> None: ...


def test_the_tensors_of_a_record_are_checked_where_it_is_read() -> None:
    checked(reads, "reads")(Record(ONES(3), IDS))
    with pytest.raises(
        ValueError, match=r"reads: record: ids must be an integer .* with n = 1, got int64 of shape .3,"
    ):
        checked(reads, "reads")(Record(ONES(1), IDS))


def test_python_says_itself_which_arguments_there_are() -> None:
    with pytest.raises(TypeError, match=r"missing .* argument: 'waveform'"):
        stft.stft()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_help_of_every_export(package) -> None:
    """It has a text and a signature, says where it is imported from, and its types can be told in words."""
    for name in package.__all__:
        value = getattr(package, name)
        if "forward" in vars(value if inspect.isclass(value) else object):
            assert "Should be overridden" not in inspect.getdoc(value.forward), f"{name}.forward has torch's docstring"
        if not callable(value) or not inspect.getmodule(value):
            continue
        assert inspect.getdoc(value), name
        assert not re.match(rf"{name}\(", inspect.getdoc(value)), f"{name}: a dataclass needs a sentence"
        if inspect.isfunction(value):
            assert (value.__module__, value.__qualname__) == (package.__name__, name)
            assert value.checks_arguments
            assert pickle.loads(pickle.dumps(value)) is value
            for hint in inspect.get_annotations(value).values():
                assert "<" not in allowed(hint, {}), f"{name}: {allowed(hint, {})}"


def test_an_import_does_not_import_torch() -> None:
    """Nor does what needs no torch."""
    names = ", ".join(package.__name__ for package in PACKAGES)
    script = f"import sys, {names}; toyworld.captions_at('train', 0, 0, 'korean'); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_the_generator_of_the_toy_world_stays_quick() -> None:
    assert not hasattr(toyworld.Rng.choice, "checks_arguments")
    assert toyworld.Rng("x").choice("abc") in "abc"


def test_counters_and_modules() -> None:
    assert len(word2vec.build_vocabulary(Counter("aab"))) == 2
    assert import_module("stft.extensions.fast").stft is not stft.stft  # inside a package there are no checks
