"""``python -m vqa`` from end to end on a small set in VQA v2's files, and what it says to wrong input."""

import json
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from PIL import Image
from vqa.commands.ask import load_trained
from vqa.datasets.images import load_image

from tests.vqa.plumbing.vqa_v2_files import image_path, write_vqa_v2
from vqa.__main__ import main
from vqa.commands import train_and_judge as commands
from vqa.data import Examples
from vqa.datasets import sources
from vqa.evaluate import predict

SMALL = {"pictures": 4, "questions": 2, "image-size": 16, "embedding": 4, "hidden": 4, "common": 8, "warmup": 2}
TINY = ["--device", "cpu", *(word for name, value in SMALL.items() for word in (f"--{name}", str(value)))]
ON_FILES = ["--data", "vqa-v2", "--root", "data"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data and a trained model, and what the training printed."""
    folder = tmp_path_factory.mktemp("work")
    write_vqa_v2(folder / "data", "train", 24)
    write_vqa_v2(folder / "data", "val", 5, seed=1)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main([*ON_FILES, *TINY, "--steps", "6"])
    return folder, printed.getvalue()


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    monkeypatch.chdir(trained[0])
    return trained[0]


def picture(folder: Path) -> Path:
    return image_path(folder / "data", "val", 9)


def test_training_judges_by_kind_and_keeps_everything_in_the_run(work, trained) -> None:
    run = work / "runs/vqa/vqa-v2"
    names = {
        "best.safetensors",
        "run.json",
        "vocabulary.json",
        "results.json",
        "answers.png",
        "training.png",
        "example.png",
    }
    assert names <= {path.name for path in run.iterdir()}
    results = json.loads((run / "results.json").read_text())
    table = results["splits"]["val"]
    assert set(table) == {"chance", "most frequent", "by kind", "by text", "ceiling", "reached"}
    for row in table.values():
        assert set(row) == {"yes/no", "number", "other", "all"}
        assert all(0 <= accuracy <= 1 for accuracy in row.values())
    assert table["ceiling"]["all"] > table["by kind"]["all"] > 0
    assert results["config"]["image_size"] == 16
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3, 4, 5, 6]
    for line in ("vqa-v2, val split", "yes/no", f"{100 * table['reached']['all']:.2f}%", "runs/vqa/vqa-v2/answers.png"):
        assert line in trained[1]


def test_ask_answers_as_the_trained_model_does(work, capsys) -> None:
    main(["ask", "--data", "vqa-v2", "--image", str(picture(work)), "--question", "What zebra color are the Discs?"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "ignored, because unknown: zebra"
    percents, answers = zip(*(line.split(maxsplit=1) for line in lines), strict=True)
    numbers = [float(percent.rstrip("%")) for percent in percents]
    assert len(answers) == len(set(answers)) == 5
    assert numbers == sorted(numbers, reverse=True)
    assert 0 < sum(numbers) <= 100.05
    config, vocabulary, model = load_trained(Path("runs/vqa/vqa-v2"), "vqa-v2")
    pixels = load_image(picture(work), config.image_size)[None].float() / 255
    examples = Examples(pixels, (0,), ("what color are the discs",), ((),), ("",))
    assert predict(model, vocabulary, examples) == [answers[0]]


def test_a_stopped_run_asks_what_to_do_and_goes_on(work, monkeypatch, capsys) -> None:
    arguments = ["--data", "vqa-v2", "--root", "data", *TINY, "--steps", "3", "--seed", "5"]
    with monkeypatch.context() as patch:
        patch.setattr(commands, "VALIDATIONS", 3)
        original = commands.train

        def stops(model, optimizer, batch_at, steps, log, rate_at) -> None:
            steps = (step for step in steps if step < 2 or 1 / 0)
            original(model, optimizer, batch_at, steps, log, rate_at)

        patch.setattr(commands, "train", stops)
        with pytest.raises(ZeroDivisionError):
            main(arguments)
    capsys.readouterr()
    check_refused(arguments, "holds an unfinished run: go on with python -m vqa --data vqa-v2", capsys)
    check_refused([*arguments, "--seed", "6", "--resume"], "seed was 5 and is 6 now", capsys)
    main([*arguments, "--resume"])
    results = json.loads(Path("runs/vqa/vqa-v2/results.json").read_text())
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3]
    assert results["config"]["seed"] == 5


def test_compare_trains_five_models_and_shows_them_side_by_side(work, monkeypatch, capsys) -> None:
    main(["compare", *ON_FILES, *TINY, "--steps", "2"])
    out = capsys.readouterr().out
    folder = Path("runs/vqa/compare/vqa-v2")
    assert out.splitlines()[-1] == str(folder / "comparison.png")
    assert Image.open(folder / "comparison.png").size == (1000, 520)
    header = next(line for line in out.splitlines() if line.startswith("kind"))
    assert header.split("  ")[-1].strip() == "image only"
    configs = {
        name: json.loads((folder / name / "results.json").read_text())["config"]
        for name in ("product", "sum", "concat", "question-only", "image-only")
    }
    changed = {name: (config["fusion"], config["streams"]) for name, config in configs.items()}
    assert changed == {
        "product": ("product", "both"),
        "sum": ("sum", "both"),
        "concat": ("concat", "both"),
        "question-only": ("product", "question"),
        "image-only": ("product", "image"),
    }
    table = json.loads((folder / "results.json").read_text())["variants"]
    assert set(table) == set(commands.VARIANTS)
    monkeypatch.setattr(commands, "train", None)  # all have ended: nothing is trained again
    main(["compare", *ON_FILES, *TINY, "--steps", "2", "--resume"])
    assert capsys.readouterr().out == out


def check_refused(arguments: list[str], message: str, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, said.err
    assert message in errors[0]
    assert "Traceback" not in said.err


WRONG = {
    "no image": (
        ["ask", "--data", "vqa-v2", "--image", "text.png", "--question", "how many?"],
        "text.png: not a picture",
    ),
    "no file": (["ask", "--data", "vqa-v2", "--image", "gone.png", "--question", "how many?"], "gone.png: there is no"),
    "empty question": (
        ["ask", "--data", "vqa-v2", "--image", "ok.png", "--question", " "],
        "--question must not be empty",
    ),
    "unknown question": (
        ["ask", "--data", "vqa-v2", "--image", "ok.png", "--question", "zebra"],
        "one known word, got 'zebra'",
    ),
    "long question": (
        ["ask", "--data", "vqa-v2", "--image", "ok.png", "--question", "how " * 41],
        "at most 40 words, got 41",
    ),
    "no model": (["ask", "--image", "ok.png", "--question", "how many?"], "make one with python -m vqa --data toy"),
    "no root": (["--data", "vqa-v2"], "--root is missing"),
    "no folder": (["--data", "vqa-v2", "--root", "nowhere"], "nowhere: there is no such folder"),
    "missing key": (["--data", "vqa-v2", "--root", "broken"], "annotations[0]: the key 'answers' is missing"),
    "unknown fusion": (
        [*ON_FILES, *TINY, "--fusion", "mean"],
        "fusion must be one of product, sum, concat, got 'mean'",
    ),
    "unknown streams": ([*ON_FILES, *TINY, "--streams", "x"], "streams must be one of both, question, image, got 'x'"),
    "unknown config": (["--config", "huge"], "--config must be one of toy, easy-vqa, vqa-v2, paper, got 'huge'"),
    "unknown data": (["--data", "coco"], "--data must be one of toy, easy-vqa, vqa-v2, got 'coco'"),
    "unknown device": ([*ON_FILES, *TINY, "--device", "abacus"], "device must be one of"),
    "no steps": ([*ON_FILES, *TINY, "--steps", "0"], "steps must be at least 1, got 0"),
    "no pictures": ([*ON_FILES, *TINY, "--pictures", "0"], "pictures must be at least 1, got 0"),
    "no shape": ([*ON_FILES, *TINY, "--form", "8", "0"], "form must be one or more numbers from 1 on, got (8, 0)"),
    "climbing": ([*ON_FILES, *TINY, "--learning-rate", "-1"], "learning_rate must be above 0, got -1.0"),
    "odd size": ([*ON_FILES, *TINY, "--image-size", "65"], "image_size must be a multiple of 8 from 16 on, got 65"),
    "no grid": ([*ON_FILES, *TINY, "--image-size", "8"], "image_size must be a multiple of 8 from 16 on, got 8"),
    "lessons without places": ([*ON_FILES, *TINY, "--lessons", "3"], "--lessons must be 0 for vqa-v2"),
    "other names": ([*TINY, "--attributes", "8", "6"], "--attributes must be (8, 6, 2) where there are lessons"),
    "nothing to resume": ([*ON_FILES, *TINY, "--resume"], "nothing to resume"),
    "both": ([*ON_FILES, *TINY, "--resume", "--restart"], "exclude each other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    Path("text.png").write_text("no picture")
    Image.new("RGB", (30, 20)).save("ok.png")
    if not Path("broken").exists():
        write_vqa_v2(Path("broken"), "train", 2)
        path = Path("broken/v2_mscoco_train2014_annotations.json")
        content = json.loads(path.read_text())
        del content["annotations"][0]["answers"]
        path.write_text(json.dumps(content))
    arguments, message = WRONG[case]
    check_refused(arguments, message, capsys)


@pytest.mark.parametrize("name", ["vocabulary.json", "run.json", "best.safetensors"])
def test_a_damaged_run_is_named(work, capsys, name: str) -> None:
    path = Path("runs/vqa/vqa-v2") / name
    whole = path.read_bytes()
    try:
        path.write_bytes(b"{}")
        check_refused(
            ["ask", "--data", "vqa-v2", "--image", str(picture(work)), "--question", "how"], "damaged", capsys
        )
    finally:
        path.write_bytes(whole)


def test_the_configuration_gives_the_defaults(monkeypatch) -> None:
    started = []
    monkeypatch.setattr("vqa.__main__.open_source", lambda data, config, root: started.append((data, config, root)))
    monkeypatch.setattr("vqa.__main__.run_train", lambda *arguments: None)
    monkeypatch.setattr("vqa.__main__.run_compare", lambda *arguments: None)
    main(["--data", "vqa-v2", "--config", "paper", "--steps", "7"])
    main(["compare", "--data", "easy-vqa"])
    main([])
    main(["--config", "paper"])
    (first, paper, _), (second, easy, _), (third, toy, _), (_, paper_on_toy, _) = started
    assert (first, second, third) == ("vqa-v2", "easy-vqa", "toy")
    assert (paper.ground, paper_on_toy.ground) == (0.45, 0.93), "nothing looks as it does in the data set"
    assert (paper.hidden, paper.common, paper.steps) == (512, 1024, 7)
    assert easy == commands_config("easy-vqa")
    assert toy == commands_config("toy")


TOY = ["--device", "cpu", "--pictures", "4", "--hidden", "4", "--common", "8", "--steps", "2", "--lesson-pictures", "2"]


def test_lessons_come_first_and_then_what_sees_is_frozen(tmp_path, monkeypatch) -> None:
    """Without lessons what sees learns on; with them it is what the lessons left; what stands on top always learns."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOY_VALIDATION", "TOY_TEST"):
        monkeypatch.setattr(sources, name, 60)
    seen, original = {}, commands.give_lessons

    def looks(model, *others) -> float:
        before = {name: weight.clone() for name, weight in model.image_stream.state_dict().items()}
        seconds = original(model, *others)
        seen.update({name: weight.clone() for name, weight in model.image_stream.state_dict().items()})
        assert all((seen[name] != before[name]).any() for name in before if not name.startswith("combine"))
        return seconds

    monkeypatch.setattr(commands, "give_lessons", looks)
    main([*TOY, "--lessons", "2"])
    _, _, model = load_trained(Path("runs/vqa/toy"), "toy")
    after = model.image_stream.state_dict()
    assert {name for name in seen if not torch.equal(seen[name], after[name])} == {"combine.weight"}
    (first, *_) = seen
    seen.clear()
    main([*TOY, "--lessons", "0", "--restart"])
    assert not seen, "lessons were given"
    _, _, untaught = load_trained(Path("runs/vqa/toy"), "toy")
    assert not torch.equal(untaught.image_stream.state_dict()[first], after[first])


def test_lessons_that_were_stopped_go_on(tmp_path, monkeypatch, capsys) -> None:
    """The weights are, bit for bit, those of a run that was never stopped."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOY_VALIDATION", "TOY_TEST"):
        monkeypatch.setattr(sources, name, 60)
    arguments, original = [*TOY, "--lessons", "3"], commands.train
    main(arguments)
    whole = Path("runs/vqa/toy/best.safetensors").read_bytes()

    def stops(stream, optimizer, lesson_at, steps, *others) -> None:
        def until_ctrl_c():
            for step in steps:
                if step == 1:
                    signal.raise_signal(signal.SIGINT)
                yield step

        original(stream, optimizer, lesson_at, until_ctrl_c(), *others)

    with monkeypatch.context() as patch:
        patch.setattr(commands, "train", stops)
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
    assert stopped.value.code == 130
    assert "stopped after 2 of 3 steps: go on with python -m vqa" in capsys.readouterr().err
    assert Path("runs/vqa/toy/best.safetensors").read_bytes() == whole, "the finished run stays until the next one ends"
    check_refused(arguments, "toy-lessons.unfinished holds an unfinished run", capsys)
    Path("runs/vqa/toy/best.safetensors").rename("before.safetensors")
    main([*arguments, "--resume"])
    assert Path("runs/vqa/toy/best.safetensors").read_bytes() == whole


def test_a_refused_run_is_refused_before_its_lessons(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "give_lessons", None)  # calling it would be a TypeError
    Path("runs").write_text("a file in the way")
    check_refused(TOY, "runs/vqa", capsys)
    Path("runs").unlink()
    unfinished = Path("runs/vqa/toy.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "last.pt").touch()
    check_refused(TOY, "holds an unfinished run", capsys)


def commands_config(name: str):
    from vqa.train import CONFIGS

    return CONFIGS[name]


def test_training_again_gives_the_same_weights(work, tmp_path, monkeypatch) -> None:
    weights = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        main(["--data", "vqa-v2", "--root", str(work / "data"), *TINY, "--steps", "2"])
        weights.append(load_trained(Path("runs/vqa/vqa-v2"), "vqa-v2")[2].state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_from_another_folder(tmp_path) -> None:
    command = [sys.executable, "-m", "vqa", "ask", "--image", "a.png", "--question", "how?"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == "error: runs/vqa/toy holds no trained model: make one with python -m vqa --data toy\n"
