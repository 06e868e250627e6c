"""``python -m show_attend_tell`` on a tiny data set of photographs: train, judge, caption, evaluate; wrong input."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lab.images import load_image
from show_attend_tell.__main__ import main
from show_attend_tell.commands import Overrides, Train, caption, evaluate, opened, photographs, task
from show_attend_tell.datasets import scores, sources
from show_attend_tell.datasets.features import vectors_of
from show_attend_tell.extensions.photographs import PhotoConfig
from tests.pictures import blank_figures
from tests.refusals import check_refused
from tests.runs import files_of
from tests.show_attend_tell.plumbing.photographs import Corners, name_of, write_flickr8k

SIZES = "--images 8 --annotation 6 --embedding 5 --hidden 7 --attention-hidden 3 --warmup 1 --least 1 --beam 2"
STEPS = "--steps 2 --self-critical-steps 2 --self-critical-images 3 --drawn-captions 2"
DATA = "--device cpu --data flickr8k --root data"
ONE_VIEW = [*SIZES.split(), *STEPS.split(), *DATA.split()]
TINY = ["--views", "2", *ONE_VIEW]
RUN = Path("runs/show_attend_tell/flickr8k")
UNSEEN = ["evaluate", "--images", "data/images", "--captions", "data/captions.csv"]


@pytest.fixture
def stand_in(monkeypatch) -> None:
    """In the place of the frozen network."""
    for module in (sources, opened, evaluate):
        monkeypatch.setattr(module, "EfficientNetLite", Corners)
    monkeypatch.setattr("lab.training.advise_on_threads", lambda: None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    write_flickr8k(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for module in (sources, opened, evaluate):
            patch.setattr(module, "EfficientNetLite", Corners)
        main(TINY)
    return folder


@pytest.fixture
def work(trained, stand_in, monkeypatch) -> Path:
    """The folder as the fixture above left it; a test must leave it so. Figures are blank from now on."""
    monkeypatch.chdir(trained)
    blank_figures(monkeypatch)
    return trained


def test_train_judge_caption_evaluate(copy, monkeypatch, capsys) -> None:
    results = json.loads((RUN / "results.json").read_text())
    assert set(results["splits"]["dev"]) == {
        "most frequent caption", "blank images", "exchanged images", "reached"
    }  # fmt: skip
    monkeypatch.setattr(photographs.PhotoTask, "train", lambda *arguments: pytest.fail("a step was taken"))
    shutil.rmtree("runs/features/corners-grid-view-1")
    main(["judge", "--run", "flickr8k"])
    assert not Path("runs/features/corners-grid-view-1").exists(), "judging needs whole images alone"
    assert json.loads((RUN / "results.json").read_text()) == results
    seen, drawn = [], []
    search, draw = caption.beam_search, caption.draw_attention
    monkeypatch.setattr(
        caption, "beam_search", lambda model, given, *others: seen.append(given) or search(model, given, *others)
    )
    monkeypatch.setattr(caption, "draw_attention", lambda *given: drawn.append(given[-1]) or draw(*given))
    monkeypatch.setattr(caption, "warn_of_unlike", lambda *arguments: pytest.fail("the model knows photographs"))
    main(["caption", "--run", "flickr8k", f"data/images/{name_of(3)}", "--beam", "3"])
    image = load_image(Path("data/images", name_of(3)), Corners.size)
    assert torch.equal(seen[0], torch.cat([vectors_of(Corners(), one) for one in (image, image.flip(2))])[None])
    assert drawn[0].shape[1] == Corners.rows**2
    torch.testing.assert_close(drawn[0].sum(dim=1), torch.ones(len(drawn[0])))
    assert "(log p -" in capsys.readouterr().out
    assert (RUN / f"attention-{Path(name_of(3)).stem}.png").exists()
    judged, vectors = scores.judge, []
    monkeypatch.setattr(scores, "judge", lambda *given: vectors.append(given[2]) or judged(*given))
    main(UNSEEN)
    assert "16 images" in capsys.readouterr().out
    assert json.loads((RUN / "evaluation.json").read_text())["images"] == 16
    assert torch.equal(vectors[0]([name_of(3)]), seen[0]), "the image and its mirror image"


def test_captions_are_judged_on_images_with_their_mirror_images(work) -> None:
    task = photographs.PhotoTask("flickr8k", PhotoConfig(images=4, views=1), Path("data"), None, "a run")
    image = load_image(Path("data/images", name_of(13)), Corners.size)
    expected = torch.cat([vectors_of(Corners(), one) for one in (image, image.flip(2))])
    assert torch.equal(task.source.judged([name_of(13)])[0], expected)
    assert name_of(3) not in task.source.judged, "only images that are judged have a mirror image"


@pytest.mark.parametrize("loop", ["train_on_photographs", "train_self_critically"])
def test_a_run_resumed_in_either_part_ends_as_one_that_was_never_stopped(copy, monkeypatch, loop: str) -> None:
    whole, original = files_of(RUN, "vocabulary.json"), getattr(photographs, loop)

    def stopped(model, optimizer, scheduler, batch_at, *others) -> None:
        signal.raise_signal(signal.SIGINT)  # acted on after the first step
        original(model, optimizer, scheduler, batch_at, *others)

    with monkeypatch.context() as patch:
        patch.setattr(photographs, loop, stopped)
        with pytest.raises(SystemExit):
            main([*TINY, "--restart", "--seed", "0"])
    main([*TINY, "--resume"])
    assert files_of(RUN, "vocabulary.json") == whole
    rows = [json.loads(line) for line in (RUN / "metrics.jsonl").read_text().splitlines()]
    assert [("reward" in row) for row in rows] == [False, False, True, True], "first the true captions, then its own"


def test_the_loops_get_the_numbers_of_the_configuration(work, monkeypatch) -> None:
    got = {}
    monkeypatch.setattr(
        photographs, "train_on_photographs", lambda *given: got.update(usual=(list(given[4]), *given[6:]))
    )
    monkeypatch.setattr(photographs, "train_self_critically", lambda *given: got.update(critical=given))
    config = PhotoConfig(
        steps=3, images=4, penalty_weight=0.7, smoothing=0.2, views=3,
        self_critical_steps=2, self_critical_images=7, self_critical_rate=0.3, drawn_captions=6, precision_weight=9.0,
    )  # fmt: skip
    one = photographs.PhotoTask("flickr8k", config, Path("data"), None, "a run")
    assert one.steps == 5
    assert len(one.source.views) == 3
    model = one.build()
    one.train(model, one.optimizers(model), torch.device("cpu"), range(5), print)
    assert got["usual"][1:] == (0.7, 0.2)
    _, optimizer, scheduler, images, words_of, reward, *_, drawn = got["critical"]
    assert optimizer.param_groups[0]["initial_lr"] == 0.3
    for _ in range(config.self_critical_steps):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12), "the rate is 0 after the last step"
    assert one.images_at(torch.device("meta"))(0)[1].device.type == "meta"
    assert len(images(3)[0]) == len(images(3)[1]) == 7
    assert drawn == 6
    assert list(words_of([1, one.tokenizer.id_of["dog"], 2, 0])) == ["dog", "<end>"]
    assert list(words_of([1, one.tokenizer.id_of["dog"]])) == ["dog"]
    assert reward(name_of(3), ["image3", "shows", "a", "dog", "<end>"]) > reward(name_of(4), ["image3", "<end>"])
    assert reward.precision_weight == 9.0


CRITICAL = {"self_critical_images": 3, "self_critical_rate": 0.1, "drawn_captions": 3, "precision_weight": 1.0}


@pytest.mark.parametrize("name", CRITICAL)
def test_options_of_self_critical_steps_need_them(name: str) -> None:
    given = replace(Overrides(), **{name: CRITICAL[name]})
    task.check_effect(given, PhotoConfig(self_critical_steps=1))
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} has no effect without --self-critical-steps"):
        task.check_effect(given, PhotoConfig(self_critical_steps=0))


def test_where_there_is_one_view() -> None:
    assert Train(data="flickr8k", features=Path("x")).chosen_config().views == 1
    coco = Train(data="coco").chosen_config()
    assert (coco.views, coco.self_critical_steps) == (1, 0)


def test_a_folder_of_features(copy, capsys) -> None:
    for folder, width in (("features", 3), ("wide", 4)):
        Path(folder).mkdir()
        for k in range(16):
            np.save(f"{folder}/{name_of(k)}.npy", np.random.default_rng(k).random((4, width), np.float32))
    check_refused(main, [*UNSEEN, "--features", "wide"], "vectors of 3 numbers, got features of 4", capsys)
    check_refused(main, [*TINY, "--features", "features"], "--views has no effect with --features", capsys)
    main([*ONE_VIEW, "--features", "features", "--run", "other"])
    capsys.readouterr()
    image = f"data/images/{name_of(3)}"
    check_refused(main, ["caption", "--run", "other", image], "caption needs a run without --features", capsys)
    check_refused(main, [*UNSEEN, "--run", "other"], "--features is missing", capsys)
    main([*UNSEEN, "--run", "other", "--features", "features"])
    main(["judge", "--run", "other"])


def test_other_captions_make_another_vocabulary(copy, capsys) -> None:
    file = Path("data/captions.csv")
    file.write_text(file.read_text().replace("dog", "cat"))
    check_refused(
        main, ["judge", "--run", "flickr8k", "--root", "data"], "was trained with other data: words was", capsys
    )


WRONG = {
    "no root": ([*TINY[:-2], "--run", "new"], "--root is missing"),
    "no folder": ([*TINY[:-1], "nowhere", "--run", "new"], "nowhere/images: there is no such folder"),
    "no captions": ([*UNSEEN[:-1], "gone.csv"], "gone.csv: there is no such file"),
    "no images": (["evaluate", "--images", "gone", *UNSEEN[3:]], "gone: there is no such folder"),
    "no drawn captions": (
        [*SIZES.split(), *DATA.split(), "--self-critical-steps", "0", "--drawn-captions", "3"],
        "--drawn-captions has no effect without --self-critical-steps: leave it out",
    ),
    "too many images": (
        [*TINY, "--self-critical-images", "13", "--run", "new"],
        "--self-critical-images must be at most 12",
    ),
    "one drawn caption": (
        [*TINY, "--drawn-captions", "1", "--run", "new"],
        "drawn_captions must be greater than or equal to 2, got 1",
    ),
    "no beam": ([*UNSEEN, "--beam", "0"], "--beam must be at least 1, got 0"),
    "no run": ([*UNSEEN, "--run", "coco"], "make one with python -m show_attend_tell --data coco --root DIR"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    check_refused(main, *WRONG[case], capsys)


def test_an_empty_caption_is_named(copy, capsys) -> None:
    with Path("data/captions.csv").open("a") as file:
        file.write(f"{name_of(2)}, . \n")
    check_refused(main, [*TINY, "--run", "new"], f"the caption of '{name_of(2)}' has no word, got ' . '", capsys)


def test_most_frequent_caption_is_needed(copy, capsys) -> None:
    (RUN / "most-frequent.txt").unlink()
    shutil.rmtree("runs/features", ignore_errors=True)
    with pytest.raises(SystemExit):
        main(UNSEEN)
    assert "most-frequent.txt is damaged or missing: train anew" in capsys.readouterr().err


class Seen(Exception):
    """Ends a command as soon as a function is called, and has its arguments."""


def see(monkeypatch, module, name: str) -> None:
    def stop(*given: object) -> None:
        raise Seen(*given)

    monkeypatch.setattr(module, name, stop)


@pytest.mark.parametrize(("what", "function", "place"), [
    ("validate", "captions_of", 2), ("judge", "judge", 5), ("draw", "captions_of", 2),
])  # fmt: skip
def test_the_search_gets_the_numbers_of_the_configuration(work, monkeypatch, what, function, place) -> None:
    one = photographs.PhotoTask(
        "flickr8k", PhotoConfig(images=4, beam=3, length_penalty=0.4), Path("data"), None, "a run"
    )
    monkeypatch.setattr(photographs, "draw_photo_training", lambda *_: None)
    see(monkeypatch, photographs.scores, function)
    others = [work, one.build(), {"validation": []}] if what == "draw" else [one.build()]
    with pytest.raises(Seen) as seen:
        getattr(one, what)(*others)
    assert seen.value.args[place:] == (3, 0.4)


@pytest.mark.parametrize(
    ("options", "expected"), [([], (5, 0.85)), (["--beam", "3", "--length-penalty", "0"], (3, 0.0))]
)
def test_the_search_of_a_verb_gets_its_options(work, monkeypatch, options: list[str], expected: tuple) -> None:
    """Without the option, the run's own length penalty."""
    see(monkeypatch, evaluate.scores, "judge")
    with pytest.raises(Seen) as seen:
        main([*UNSEEN, *options])
    assert seen.value.args[5:] == expected
    see(monkeypatch, caption, "beam_search")
    with pytest.raises(Seen) as seen:
        main(["caption", "--run", "flickr8k", f"data/images/{name_of(3)}", *options])
    assert (seen.value.args[2], seen.value.args[4]) == expected
