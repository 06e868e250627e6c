"""What ``python -m cgan --data toy --scene two`` measures, and what its judge and its encoder learn from."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cgan.commands import frozen
from cgan.commands import two as pairs
from cgan.datasets import toy, two
from cgan.evaluate import frechet_distance
from cgan.extensions.pretraining import EncoderConfig
from cgan.extensions.relations import enlarged, pair_features
from detector.decode import Detection
from detector.model import Detector
from detector.train import Config as DetectorConfig
from toyworld.facts import holds
from toyworld.parser import read
from toyworld.scenes import HELD_OUT, RELATIONS
from toyworld.tokenizer import Tokenizer


def pair_task(monkeypatch, language: str = "english") -> pairs.PairTask:
    """The task without its training. Its judge knows every picture that is drawn."""
    for module, name, size in ((pairs, "TEST", 40), (pairs, "EACH", 3), (pairs, "VALIDATED", 2), (pairs, "FULL", 4)):
        monkeypatch.setattr(module, name, size)
    drawn = {}

    def draw(scenes):
        images = toy.pictures(scenes)
        drawn.update({image.numpy().tobytes(): scene for image, scene in zip(images, scenes, strict=True)})
        return images

    monkeypatch.setattr(two, "pictures", draw)
    monkeypatch.setattr(pairs, "pictures", draw)
    monkeypatch.setattr(pairs, "read_pairs", lambda network, images: [drawn[one.numpy().tobytes()] for one in images])
    task = object.__new__(pairs.PairTask)
    task.kind, task.language, task.network, task.done = "two", language, Detector(), 7
    task.judge_task = SimpleNamespace(judge=lambda network: {"accuracy": 0.5})
    task.prepare()
    return task


def drawn_as_asked(language: str, asked: dict, opposite: bool = False):
    """Fakes that obey their sentences, or show the opposite relation. ``asked`` gets the facts."""

    def fakes(model, sentences, split, seed=0):
        facts = [fact for sentence in sentences for fact in read(sentence, language)]
        asked[split, seed] = facts
        full = [
            replace(
                fact,
                a=replace(fact.a, size=fact.a.size or "small"),
                b=replace(fact.b, size=fact.b.size or "small"),
                relation=two.OPPOSITE[fact.relation] if opposite else fact.relation,
            )
            for fact in facts
        ]
        return pairs.pictures([two.scenes_of(fact, 1, seed=7 + k)[0] for k, fact in enumerate(full)])

    return fakes


def test_what_is_measured_of_two_objects(monkeypatch) -> None:
    """Fakes that obey; real pictures; and for chance real pictures with the sentences of others."""
    task, asked, compared = pair_task(monkeypatch), {}, []
    task.fakes = drawn_as_asked("english", asked)
    task.compare = lambda model, test, fakes, columns: compared.append((test, fakes))
    results = task.judge(nn.Identity())
    columns, ((test, fakes),) = results["splits"]["test"], compared
    obeyed = {"two objects": 1, "both as named": 1, "all named": 1}
    assert columns["real"].items() >= obeyed.items()
    assert columns["reached"].items() >= (obeyed | {"unseen pairs": 1}).items()
    assert columns["chance"]["two objects"] == 1
    assert columns["chance"]["all named"] < 0.2
    assert [holds(fact, scene) for fact, scene in zip(asked["test", 0], test.scenes, strict=True)] == [True] * 40
    assert Counter(asked["test", 1]) == dict.fromkeys(task.full_facts, 3)
    unseen = [{(one.colour, one.shape) for one in (fact.a, fact.b)} for fact in asked["test", 2]]
    assert len(unseen) == 10
    assert all(len(shown & set(HELD_OUT)) == 1 for shown in unseen)
    real, other, of_fakes = (
        pair_features(task.network, images) for images in (test.images, task.captioned("test", 1, 40).images, fakes)
    )
    for name, expected in (("real", frechet_distance(real, other)), ("reached", frechet_distance(of_fakes, real))):
        assert columns[name]["FID"] == pytest.approx(expected)
        assert columns[name]["diversity"] == pytest.approx(1, abs=0.5)
        assert columns[name]["diversity"] != pytest.approx(1, abs=1e-4), "other pictures than those beside them"
        assert columns[name]["least diversity"] < columns[name]["diversity"]
    assert results["judge"] == 0.5


def test_a_validation_counts_the_relation(monkeypatch) -> None:
    task, asked, watched = pair_task(monkeypatch), {}, []
    task.watch = lambda fakes, rows, real, kinds, names: watched.append((rows, real, kinds, names)) or 0.25
    for opposite in (False, True):
        task.fakes = drawn_as_asked("english", asked, opposite)
        found = task.validate(nn.Identity())
        assert found == {"score": 7, "obedience": 0 if opposite else 1, "least diversity": 0.25}
    (rows, real, kinds, names), _ = watched
    assert [rows.tolist(), kinds.tolist()] == [[0, 0, 1, 1, 2, 2, 3, 3], [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3]
    assert len(real) == 12
    assert names == task.full


@pytest.mark.parametrize("language", ["english", "korean"])
def test_the_figure_of_two_objects_shows_relations(language: str) -> None:
    facts = [read(sentence, language) for sentence in pairs.SHOWN_FIRST[language]]
    assert {fact.relation for (fact,) in facts} == set(RELATIONS)
    assert facts == [read(sentence, "english") for sentence in pairs.SHOWN_FIRST["english"]]
    start, end = ([*read(sentence, language)] for sentence in pairs.PairTask.way[language])
    assert end == [replace(start[0], relation=two.OPPOSITE[start[0].relation])]


def test_the_judge_of_two_objects_learns_from_other_pictures_and_all_pairs(monkeypatch) -> None:
    """It is asked about pictures it did not learn from, and places may be wrong by one cell, 4 of 64 pixels."""
    monkeypatch.setattr(frozen, "TEST", 8)
    task, batches = frozen.PairJudgeTask(), []
    monkeypatch.setattr(frozen, "train_detector", lambda *arguments: batches.extend(map(arguments[3], range(2))))
    task.train(Detector(), task.optimizers(Detector()), torch.device("cpu"), range(2), print)
    scenes = [frozen.judged_pair(1000, index) for index in range(48)]
    expected = enlarged((toy.pictures(scenes) + 1) / 2)
    assert torch.allclose(torch.cat([images for images, *_ in batches]), expected, atol=1e-6)
    shown = [{(one.colour, one.shape) for one in scene.objects} for scene in scenes]
    assert [bool(both & set(HELD_OUT)) for both in shown] == [index % 4 == 0 for index in range(48)]
    for away, accuracy in ((0.06, 1), (0.065, 0)):

        def shifted(model, images, away=away):
            test = [frozen.judged_pair(1001, index) for index in range(8)]
            assert torch.allclose(images, enlarged((toy.pictures(test) + 1) / 2))
            return [
                [Detection(one.colour, one.shape, one.size, one.x + away, one.y, 1.0) for one in scene.objects]
                for scene in test
            ]

        monkeypatch.setattr("cgan.extensions.relations.detect", shifted)
        assert task.judge(Detector()) == {"accuracy": accuracy}


def test_how_judge_and_encoder_of_two_objects_learn(monkeypatch) -> None:
    assert frozen.PairJudgeTask().config == DetectorConfig(steps=1500, images=24, seed=1000)
    examples = two.captioned_pairs("english", "train", 0, 5)
    task = frozen.EncoderTask("two", "english", Tokenizer.of(examples.sentences))
    assert task.config == EncoderConfig(picture="regions", steps=1000, false_sentences=2.0)
    given = []
    monkeypatch.setattr(frozen, "pictures_with_sentences", lambda *arguments: examples)
    monkeypatch.setattr(frozen, "train_encoders", lambda *arguments: given.extend(arguments))
    task.train(nn.Identity(), {"optimizer": None, "scheduler": None}, torch.device("cpu"), range(1), print)
    assert given[-1] == 2.0
