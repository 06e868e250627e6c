"""``python -m cgan --data toy`` on a small task: train, judge, draw, interpolate; and wrong input is one line."""

import functools
import json
import signal
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields, replace
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
import torch

from cgan import commands
from cgan.__main__ import main
from cgan.commands import frozen
from cgan.commands import sentences as tasks
from cgan.commands import task as label_tasks
from cgan.commands import two as pairs
from cgan.datasets import toy, two
from cgan.extensions.judge import JudgeConfig
from cgan.extensions.pretraining import EncoderConfig
from cgan.extensions.projection import TEXT_CONFIGS, TextConfig
from detector.train import Config as DetectorConfig
from lab import cli
from lab.seeding import seed_everything
from tests.pictures import blank_figures, draw_blank
from tests.refusals import check_refused
from tests.runs import files_of, flags

SMALL = TextConfig(
    steps=4, batch=4, noise=3, compressed=2, generator_channels=(4, 3, 2), discriminator_channels=(2, 3, 4), joint=5
)  # fmt: skip
TINY = ["--data", "toy", "--device", "cpu", *flags(**{
    field.name: getattr(SMALL, field.name) for field in fields(SMALL)
    if getattr(SMALL, field.name) != getattr(TextConfig(), field.name)
})]  # fmt: skip
ANYWHERE = [
    "--data", "toy", "--scene", "anywhere", "--device", "cpu", "--steps", "4", "--batch", "4", "--noise", "3",
    "--compressed", "2", "--generator-channels", "4", "3",
]  # fmt: skip
TWO = [*("two" if word == "anywhere" else word for word in ANYWHERE)]
RUNS = Path("runs/cgan")
RUN = RUNS / "toy-close"
PAIRS = (("cyan", "cross"), ("green", "circle"))
few = functools.cache(toy.captioned)  # the same arguments give the same sentences
few_pairs = functools.cache(two.captioned_pairs)


@contextmanager
def small():
    """Everything is small, and no run is so short that it counts as collapsed."""
    with pytest.MonkeyPatch.context() as patch:
        sizes = {"POOL": 120, "TEST": 120, "EACH": 2, "VALIDATED": 2, "SCENES": 12, "FULL": 3}
        for module, (name, value) in product((frozen, tasks, pairs), sizes.items()):
            if hasattr(module, name):
                patch.setattr(module, name, value)
        for module in (frozen, pairs):
            patch.setattr(module, "captioned", few)
            patch.setattr(module, "captioned_pairs", few_pairs)
        patch.setattr(tasks, "SHOWN", PAIRS)
        patch.setattr(tasks, "SIZES", ("large",))
        patch.setattr(frozen, "JudgeConfig", lambda **given: JudgeConfig(steps=3, batch=4, channels=2))
        patch.setattr(frozen, "DetectorConfig", lambda **given: DetectorConfig(**{**given, "steps": 2, "images": 2}))
        patch.setattr(
            frozen,
            "EncoderConfig",
            lambda **given: EncoderConfig(**{**given, "steps": 3, "batch": 4, "size": 8, "channels": 2}),
        )
        patch.setattr(label_tasks, "check_diversity", lambda found: None)
        patch.setattr("lab.training.advise_on_threads", lambda: None)
        yield patch


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run in each language, and what was printed. The figures of the first run are true ones."""
    folder = tmp_path_factory.mktemp("work")
    with small() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main(TINY)
        blank_figures(patch)
        main([*TINY, "--language", "korean"])
        main(ANYWHERE)
        main(TWO)
    return folder, printed.getvalue()


@pytest.fixture
def work(trained, monkeypatch):
    monkeypatch.chdir(trained[0])
    with small() as patch:
        patch.setattr(tasks, "draw_pictures", draw_blank)
        yield trained[0]


def test_training_keeps_everything_in_the_run(work, trained) -> None:
    files = {"best.safetensors", "run.json", "results.json", "words.txt", "losses.png"}
    files |= {"sentences.png", "interpolation.png", "nearest.png"}
    for run in (RUN, RUNS / "toy-close-korean", RUNS / "toy-anywhere", RUNS / "toy-two"):
        assert files <= {path.name for path in run.iterdir()}
        results = json.loads((run / "results.json").read_text())
        columns = results["splits"]["test"]
        assert list(columns) == ["chance", "real", "reached"]
        assert columns["real"].keys() < columns["reached"].keys()
        assert 0 <= columns["reached"]["true preferred"] <= 1
    tables = ("toy-close, test", "toy-anywhere, test", "toy-two, test")
    for part in (*tables, "two objects", "colour and shape", "unseen pairs", "the judge gives", "the judge reads"):
        assert part in trained[1], part
    assert {"star", "large"} <= set((RUN / "words.txt").read_text().split())
    assert {"별", "큰"} <= set((RUNS / "toy-close-korean" / "words.txt").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("name", ["toy-close", "toy-close-korean", "toy-anywhere", "toy-two"])
def test_judging_needs_no_training(copy, monkeypatch, capsys, name: str) -> None:
    results = json.loads((RUNS / name / "results.json").read_text())
    (RUNS / name / "results.json").unlink()
    for module, loop in ((tasks, "train_text_with_penalty"), (frozen, "train_judge"), (frozen, "train_encoders")):
        monkeypatch.setattr(module, loop, lambda *arguments: pytest.fail("a step was taken"))
    main(["judge", "--run", name, "--device", "cpu"])
    assert json.loads((RUNS / name / "results.json").read_text()) == results
    assert f"{name.removesuffix('-korean')}, test" in capsys.readouterr().out


def test_a_resumed_run_ends_as_one_that_was_never_stopped(copy, capsys) -> None:
    whole = files_of(RUN, "words.txt")
    original = tasks.train_text_with_penalty
    with pytest.MonkeyPatch.context() as patch:

        def stopped(gan, optimizers, schedulers, batch_at, *others) -> None:
            def batch(step: int):
                if step == 2:
                    signal.raise_signal(signal.SIGINT)
                return batch_at(step)

            original(gan, optimizers, schedulers, batch, *others)

        patch.setattr(tasks, "train_text_with_penalty", stopped)
        with pytest.raises(SystemExit) as left:
            main(TINY)
    assert left.value.code == 130
    assert "--resume" in capsys.readouterr().err
    main([*TINY, "--resume"])
    assert files_of(RUN, "words.txt") == whole


def test_the_same_seed_gives_the_same_pictures(copy, monkeypatch, capsys) -> None:
    drawn = {}
    monkeypatch.setattr(commands, "draw_pictures", lambda path, rows: drawn.update({str(path): rows}))
    main(["draw", "--text", "a large blue star", "--count", "3"])
    main(["draw", "--text", "A large, BLUE star.", "--count", "3", "--output", "again.png"])
    main(["draw", "--text", "a large blue star", "--count", "3", "--seed", "1", "--output", "other.png"])
    main(["draw", "--text", "a large red star", "--count", "3", "--output", "red.png"])
    assert capsys.readouterr().out.splitlines() == list(drawn)
    assert next(iter(drawn)) == str(RUN / "draw-a-large-blue-star.png")
    first, again, other, red = (next(iter(rows.values())) for rows in drawn.values())
    assert first.shape == (3, 3, 32, 32)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, red)


def test_the_ends_of_an_interpolation_are_the_sentences(work, monkeypatch) -> None:
    drawn = {}
    monkeypatch.setattr(commands, "draw_pictures", lambda path, rows: drawn.update({str(path): rows}))
    ends = ("a small red square", "a large blue star")
    main(["interpolate", "--from", ends[0], "--to", ends[1]])
    ((path, rows),) = drawn.items()
    assert path == str(RUN / "interpolate-a-small-red-square-a-large-blue-star.png")
    _, _, config, gan, tokenizer = commands.open_text_gan("toy-close")
    noise = torch.randn(tasks.WAYS, config.noise, generator=commands.random_at("test", 0, 2))
    for place, end in ((0, ends[0]), (-1, ends[1])):
        vectors = commands.sentence_vectors(gan.encoder, tokenizer.encode([end])).expand(len(noise), -1)
        expected = commands.text_samples(gan.generator, noise, vectors)
        assert torch.allclose(torch.stack([row[place] for row in rows.values()]), expected, atol=1e-5)


WRONG = {  # the arguments, and the one line that names what is wrong
    "unknown word": (["draw", "--text", "a large mauve star"], "unknown word 'mauve' in 'a large mauve star': the"),
    "empty": (["draw", "--text", " . "], "a sentence must have at least one word, got ' . '"),
    "no words between": (["interpolate", "--from", "", "--to", "a star"], "a sentence must have at least one word"),
    "unknown at the end": (["interpolate", "--from", "a star", "--to", "a moon"], "unknown word 'moon'"),
    "label and text": (["draw", "--text", "a star", "--label", "7"], "draw needs either --label or --text"),
    "count": (["draw", "--text", "a star", "--count", "0"], "--count must be at least 1, got 0"),
    "seed": (["draw", "--text", "a star", "--seed", "-1"], "--seed must be at least 0, got -1"),
    "label of a sentence's run": (["draw", "--label", "7", "--run", "toy-close"], "no players that know labels"),
    "text of another run": (["draw", "--text", "a star", "--run", "judge-toy-close"], "holds no players that know"),
    "no run": (["draw", "--text", "a star", "--run", "toy-anywhere-korean"], "--scene anywhere --language korean"),
    "encoder": (["--data", "toy", "--discriminator", "encoder"], "encoder is for --scene anywhere and two only"),
    "joint": ([*ANYWHERE, "--joint", "8"], "--joint has no effect beside --discriminator encoder"),
    "two numbers": ([*TINY, "--generator", "placed"], "must be 2 numbers for --generator placed, got 3"),
    "pair": ([*ANYWHERE, "--generator", "pair"], "--generator pair is for --scene two only"),
    "noise": ([*TWO, "--noise", "4"], "--noise must be a multiple of 3 for --generator pair, got 4"),
    "scene of the ring": (["--scene", "close"], "--scene is for toy only, ring does not use it"),
    "language of digits": (["--data", "digits", "--language", "korean"], "--language is for toy only, digits does not"),
    "scene": (["--data", "toy", "--scene", "three"], "--scene must be one of anywhere, close, two, got 'three'"),
    "root": ([*TINY, "--root", ".", "--run", "new"], "--root is for mnist only, toy needs no folder"),
    "network": (["--data", "toy", "--network", "conv"], "--network is for ring, digits and mnist only, toy does"),
    "joint of digits": (["--data", "digits", "--joint", "8"], "--joint is for toy only, digits does not use it"),
    "every": (["--data", "toy", "--penalty", "0", "--penalty-every", "2"], "--penalty-every has no effect beside"),
    "channels": ([*TINY, "--run", "new", "--joint", "0"], "joint must be greater than or equal to 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, monkeypatch, capsys, case: str) -> None:
    monkeypatch.setattr(tasks, "train_text_with_penalty", lambda *arguments: pytest.fail("a step was taken"))
    check_refused(main, *WRONG[case], capsys)


def test_the_scene_gives_the_defaults() -> None:
    def chosen(*arguments: str):
        return cli.parse("cgan", commands.VERBS, ["--data", "toy", *arguments], commands.DEFAULT).chosen_config()

    for scene, config in TEXT_CONFIGS.items():
        assert chosen("--scene", scene) == config
    assert chosen() == TEXT_CONFIGS["close"]
    assert chosen("--joint", "7").joint == 7


CHANGES = {  # of every field of a configuration: another value
    "steps": 5, "batch": 6, "noise": 4, "compressed": 3, "generator": "placed", "generator_channels": (5, 3, 2),
    "discriminator_channels": (3, 3, 4), "joint": 6, "discriminator": "paper", "game": "plain", "interpolation": 0.7,
    "penalty": 2.0, "penalty_every": 3, "generator_rate": 0.01, "discriminator_rate": 0.01, "beta1": 0.5, "seed": 7,
    "mode_seeking": 0.1,
}  # fmt: skip


def traces(task: tasks.TextTask) -> list[torch.Tensor]:
    """All that a configuration decides: the weights and the losses after the steps of a training."""
    seed_everything(task.config.seed)
    model, losses = task.build(), []
    log = lambda step, **named: losses.extend(named.values())  # noqa: E731
    task.train(model, task.optimizers(model), torch.device("cpu"), range(task.steps), log)
    return [torch.tensor(losses), *model.state_dict().values()]


@pytest.mark.parametrize("field", [field.name for field in fields(TextConfig)])
def test_every_option_reaches_what_it_is_for(work, field: str) -> None:
    """With another value, something else is trained. It fails for an option that is replaced by a constant."""
    machine = cli.Machine(device="cpu")
    changes = {field: CHANGES[field]} | ({"generator_channels": (4, 3)} if field == "generator" else {})
    configs = (SMALL, replace(SMALL, **changes))
    one, other = (traces(tasks.TextTask("close", "english", config, "c", machine, "new")) for config in configs)
    same = len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )
    assert not same, f"--{field.replace('_', '-')} changes nothing"


@pytest.mark.parametrize(("scene", "kind"), [("anywhere", tasks.TextTask), ("two", pairs.PairTask)])
def test_the_discriminator_of_a_scene_begins_as_its_picture_encoder(work, scene: str, kind: type) -> None:
    machine, begun = cli.Machine(device="cpu"), {}
    config = replace(TEXT_CONFIGS[scene], noise=3, generator_channels=(4, 3))
    for which in ("encoder", "untrained"):
        task = kind(scene, "english", replace(config, discriminator=which), "c", machine, "new")
        begun[which], known = task.build().discriminator.encoder.state_dict(), task.encoders.picture.state_dict()
    assert all(torch.equal(begun["encoder"][name], weight) for name, weight in known.items())
    assert not any(torch.equal(begun["untrained"][name], weight) for name, weight in known.items())


def test_the_encoder_of_two_begins_with_the_convolutions_of_one_anywhere(work) -> None:
    """Its own training then changes them."""
    machine, config = cli.Machine(device="cpu"), replace(TEXT_CONFIGS["two"], noise=3, generator_channels=(4, 3))
    task = pairs.PairTask("two", "english", config, "c", machine, "new")
    config = replace(TEXT_CONFIGS["anywhere"], noise=3, generator_channels=(4, 3))
    known = tasks.TextTask("anywhere", "english", config, "c", machine, "new").encoders.picture
    begun = task.make_encoder_task("c", machine).build().picture
    for name in ("first", "second", "third"):
        one, other, later = (getattr(model, name).weight for model in (known, begun, task.encoders.picture))
        assert torch.equal(one, other)
        assert not torch.equal(other, later)


def test_the_monitor_names_the_sentence(work, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(label_tasks, "check_diversity", seen.append)
    task = tasks.TextTask("close", "english", SMALL, "c", cli.Machine(device="cpu"), "new")
    model = task.build()
    task.done = 1
    task.validate(model)
    assert not seen, "before half of the steps it says nothing"
    task.done = 2
    least = task.validate(model)["least diversity"]
    assert set(seen[0]) == set(task.full)
    assert min(seen[0].values()) == least
    assert all("cross" in sentence or "circle" in sentence for sentence in seen[0])
