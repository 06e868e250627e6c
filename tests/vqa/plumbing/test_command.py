"""``python -m vqa`` from end to end on a small set in VQA v2's files, and what it answers to wrong input."""

import json
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from lab import cli
from lab.images import load_image
from tests.pictures import blank_figures, draw_blank
from tests.refusals import check_refused
from tests.runs import files_of, stop_in
from tests.vqa.plumbing.vqa_v2_files import edit_json, image_path, write_vqa_v2
from vqa import commands
from vqa.__main__ import main
from vqa.commands import ask, opened
from vqa.evaluate import Examples, predict
from vqa.train import CONFIGS

SMALL = "--images 4 --questions 2 --image-size 16 --channels 4 4 --embedding 4 --hidden 4 --common 8 --warmup 2"
TINY = ["--data", "vqa-v2", "--root", "data", "--device", "cpu", *SMALL.split()]
RUN = Path("runs/vqa/vqa-v2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data and a trained model, and what the training printed."""
    folder = tmp_path_factory.mktemp("work")
    write_vqa_v2(folder / "data", "train", 24)
    write_vqa_v2(folder / "data", "val", 5, seed=1)
    Image.new("RGB", (30, 20)).save(folder / "ok.png")
    (folder / "text.png").write_text("no image")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main([*TINY, "--steps", "3"])
    return folder, printed.getvalue()


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    """The folder as the fixture above left it; a test must leave it so. Figures are blank from now on."""
    monkeypatch.chdir(trained[0])
    blank_figures(monkeypatch)
    for name in ("draw_answers", "draw_training"):
        monkeypatch.setattr(commands, name, draw_blank)
    monkeypatch.setattr("lab.training.advise_on_threads", lambda: None)  # how busy this machine is, is no matter here
    return trained[0]


def forbid_training(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commands, "train", lambda *arguments: pytest.fail("a step was taken"))


def test_training_judges_by_kind_and_keeps_everything_in_the_run(work, trained) -> None:
    figures = {"answers.png", "training.png", "example.png"}
    needed = {"best.safetensors", "run.json", "vocabulary.json", "results.json"}
    assert figures | needed <= {path.name for path in RUN.iterdir()}
    results = json.loads((RUN / "results.json").read_text())
    table = results["splits"]["val"]
    assert set(table) == {"chance", "most frequent", "by kind", "by text", "ceiling", "reached"}
    for row in table.values():
        assert set(row) == {"yes/no", "number", "other", "all"}
        assert all(0 <= accuracy <= 1 for accuracy in row.values())
    assert table["ceiling"]["all"] > table["by kind"]["all"] > 0
    assert results["config"]["image_size"] == 16
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3]
    for part in ("vqa-v2, val split", "yes/no", f"{100 * table['reached']['all']:.2f}%", *map(str, figures)):
        assert part in trained[1]


def test_the_example_that_training_prints_can_be_asked(work, trained, monkeypatch, capsys) -> None:
    """A model of photographs neither warns of them, nor of any form of question."""
    (line,) = (line for line in trained[1].splitlines() if line.startswith("ask it: "))
    monkeypatch.setattr(ask, "warn_of_unlike", lambda *arguments: pytest.fail("the model knows other images"))
    python, m, name, *arguments = shlex.split(line.removeprefix("ask it: "))
    assert (python, m, name) == ("python", "-m", "vqa")
    main(arguments)
    said = capsys.readouterr()
    assert said.out.count("%") == 5
    assert said.err == ""


def test_ask_answers_as_the_trained_model_does(work, capsys) -> None:
    image = image_path(work / "data", "val", 9)
    main(["ask", "--run", "vqa-v2", str(image), "What zebra color are the Discs?"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "ignored, because unknown: zebra"
    percents, answers = zip(*(line.split(maxsplit=1) for line in lines), strict=True)
    numbers = [float(percent.rstrip("%")) for percent in percents]
    assert len(answers) == len(set(answers)) == 5
    assert numbers == sorted(numbers, reverse=True)
    assert 0 < sum(numbers) <= 100.05
    _, _, config, vocabulary, model = commands.open_model("vqa-v2", "")
    pixels = load_image(image, config.image_size)[None].float() / 255
    examples = Examples(pixels, pixels, (0,), ("what color are the discs",), ((),), ("",))
    assert predict(model, vocabulary, examples) == [answers[0]]


def test_an_image_that_is_stored_turned_is_answered_as_it_is_seen(work, tmp_path, capsys) -> None:
    """A camera held upside down stores the image turned by 180° with a tag; every viewer turns it back."""
    upright = Image.open(image_path(work / "data", "val", 9))
    turned, tag = upright.transpose(Image.Transpose.ROTATE_180), Image.Exif()
    tag[0x0112] = 3  # the tag "orientation": turned by 180°
    upright.save(tmp_path / "upright.png")
    turned.save(tmp_path / "turned.png", exif=tag)
    turned.save(tmp_path / "untagged.png")
    said = {}
    for name in ("upright", "turned", "untagged"):
        main(["ask", "--run", "vqa-v2", str(tmp_path / f"{name}.png"), "What color are the discs?"])
        said[name] = capsys.readouterr().out
    assert said["turned"] == said["upright"]
    assert said["untagged"] != said["upright"], "the test shows nothing: the model does not see which way is up"


def test_a_resumed_run_ends_as_one_that_was_never_stopped(copy, capsys) -> None:
    """Two trainings give the same bits; so does one that Ctrl-C stops and --resume completes, with its results."""
    whole, results = files_of(RUN, "vocabulary.json"), json.loads((RUN / "results.json").read_text())
    arguments = [*TINY, "--steps", "3"]
    with pytest.MonkeyPatch.context() as patch:
        stop_in(patch, commands, 1)
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
    assert stopped.value.code == 130
    resume = f"stopped after 2 of 3 steps: go on with python -m vqa {' '.join(arguments)} --resume"
    assert resume in capsys.readouterr().err
    assert files_of(RUN, "vocabulary.json") == whole, "the finished run stays until the next one ends"
    check_refused(main, arguments, "holds an unfinished run: go on with python -m vqa --data vqa-v2", capsys)
    (RUN / "best.safetensors").unlink()
    main([*arguments, "--resume"])
    assert files_of(RUN, "vocabulary.json") == whole
    resumed = json.loads((RUN / "results.json").read_text())
    assert resumed | {"seconds": 0} == results | {"seconds": 0}


def test_only_the_same_configuration_replaces_or_resumes_a_run(copy, monkeypatch, capsys) -> None:
    forbid_training(monkeypatch)
    another = [*TINY, "--steps", "2"]
    check_refused(main, another, "vqa-v2 holds a finished run of another configuration (steps was 3 and is 2", capsys)
    monkeypatch.undo()
    monkeypatch.chdir(copy)
    before = files_of(RUN, "vocabulary.json")
    main([*another, "--run", "trial"])
    assert files_of(RUN, "vocabulary.json") == before
    assert json.loads(Path("runs/vqa/trial/run.json").read_text())["steps"] == 2
    with pytest.MonkeyPatch.context() as patch:
        stop_in(patch, commands, 0)
        with pytest.raises(SystemExit):
            main([*another, "--restart"])
    capsys.readouterr()
    check_refused(main, [*another, "--seed", "6", "--resume"], "seed was 0 and is 6 now", capsys)
    main([*another, "--resume"])
    assert json.loads((RUN / "run.json").read_text())["steps"] == 2


def test_compare_trains_five_models_and_shows_them_side_by_side(copy, monkeypatch, capsys) -> None:
    arguments = ["compare", *TINY, "--steps", "1"]
    main(arguments)
    out, folder = capsys.readouterr().out, Path("runs/vqa/compare/vqa-v2")
    assert out.splitlines()[-1] == str(folder / "comparison.png")
    Image.open(folder / "comparison.png").verify()
    header = next(line for line in out.splitlines() if line.startswith("kind"))
    assert header.split("  ")[-1].strip() == "image only"
    fusions = {"product": "product", "sum": "sum", "concat": "concat"}
    for name, fusion in {**fusions, "question-only": "product", "image-only": "product"}.items():
        config = json.loads((folder / name / "results.json").read_text())["config"]
        assert (config["fusion"], config["inputs"]) == (fusion, name.removesuffix("-only") if "-" in name else "both")
    assert set(json.loads((folder / "results.json").read_text())["variants"]) == set(commands.VARIANTS)
    monkeypatch.setattr(commands, "train", None)  # all are finished: nothing is trained again
    main([*arguments, "--resume"])
    assert capsys.readouterr().out == out
    refused = "compare/vqa-v2/product holds a finished run of another configuration (steps was 1 and is 2 now)"
    check_refused(main, ["compare", *TINY, "--steps", "2"], refused, capsys)


def test_judging_needs_no_training(copy, monkeypatch, capsys) -> None:
    """Also for a model whose judging crashed, after hours of training."""
    results = json.loads((RUN / "results.json").read_text())
    with monkeypatch.context() as patch:
        patch.setattr(commands, "baselines", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            main([*TINY, "--steps", "2", "--run", "crashed"])
    forbid_training(monkeypatch)
    for name, steps in (("vqa-v2", 3), ("crashed", 2)):
        (RUN.parent / name / "results.json").unlink(missing_ok=True)
        capsys.readouterr()
        main(["judge", "--run", name, "--root", "data"])
        judged = json.loads((RUN.parent / name / "results.json").read_text())
        assert judged["steps"] == steps
        assert f"{100 * judged['splits']['val']['reached']['all']:.2f}%" in capsys.readouterr().out
        if name == "vqa-v2":
            assert judged == results


def test_a_model_is_judged_on_its_own_data_only(copy, capsys) -> None:
    edit_json(
        Path("data/v2_OpenEnded_mscoco_train2014_questions.json"),
        lambda content: [question.update(question="Is it red?") for question in content["questions"]],
    )
    check_refused(main, ["judge", "--run", "vqa-v2", "--root", "data"], "with other words or answers", capsys)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_damaged_image_of_any_split_is_found_before_the_first_step(copy, monkeypatch, capsys, split: str) -> None:
    forbid_training(monkeypatch)
    image_path(Path("data"), split, 25).write_text("no image")
    message = f"COCO_{split}2014_000000000025.jpg: not an image, or damaged"
    check_refused(main, [*TINY, "--run", "new"], message, capsys)
    check_refused(main, ["judge", "--run", "vqa-v2", "--root", "data"], message, capsys)


ASK = ["ask", "--run", "vqa-v2"]
WRONG = {  # the arguments, and the one line that names what is wrong
    "no image": ([*ASK, "text.png", "how many?"], "text.png: not an image"),
    "no file": ([*ASK, "gone.png", "how many?"], "gone.png: there is no such file"),
    "empty question": ([*ASK, "ok.png", " "], "the question must not be empty"),
    "unknown question": ([*ASK, "ok.png", "zebra"], "at least one known word, got 'zebra'"),
    "long question": ([*ASK, "ok.png", "how " * 41], "at most 40 words, got 41"),
    "no model": (
        ["ask", "ok.png", "how many?"],
        "runs/vqa/toy holds no trained model: make one with python -m vqa; finished runs: vqa-v2",
    ),
    "no such run": (
        ["judge", "--run", "easy-vqa"],
        "make one with python -m vqa --data easy-vqa; finished runs:",
    ),
    "run elsewhere": (["ask", "--run", "../x", "ok.png", "how many?"], "--run must be a name such as"),
    "judge without root": (["judge", "--run", "vqa-v2"], "--root is missing"),
    "no root": (["--data", "vqa-v2", "--run", "new"], "--root is missing"),
    "no folder": (["--data", "vqa-v2", "--root", "nowhere", "--run", "new"], "nowhere: there is no such folder"),
    "root for the toy world": (["--root", "data"], "--root is for vqa-v2 only, toy needs no folder"),
    "another language for photographs": (
        [*TINY, "--language", "korean", "--run", "new"],
        "--language is for toy only, vqa-v2 does not use it",
    ),
    "unknown language": (["--language", "ko"], "--language must be one of english, korean, got 'ko'"),
    "no Korean model": (
        ["ask", "--run", "toy-korean", "ok.png", "별은 무슨 색입니까?"],
        "make one with python -m vqa --language korean; finished runs: vqa-v2",
    ),
    "detector for photographs": (
        [*TINY, "--encoder", "grid", "--channels", "4", "--run", "new"],
        "--encoder must be cnn for vqa-v2",
    ),
    "unknown fusion": (
        [*TINY, "--fusion", "produkt"],
        "--fusion must be one of concat, product, sum, got 'produkt'",
    ),
    "unknown inputs": ([*TINY, "--inputs", "x"], "--inputs must be one of both, image, question, got 'x'"),
    "unknown config": (["--config", "huge"], "--config must be one of easy-vqa, paper, toy, vqa-v2, got 'huge'"),
    "unknown data": (["--data", "coco"], "--data must be one of easy-vqa, toy, vqa-v2, got 'coco'"),
    "unknown option": ([*TINY, "--stps", "3"], "did you mean --steps?"),
    "unknown verb": (["juge"], "did you mean judge?"),
    "no number": ([*TINY, "--steps", "many"], "--steps cannot be read from 'many'"),
    "unknown device": ([*TINY, "--device", "abacus", "--run", "new"], "device must be one of"),
    "no steps": ([*TINY, "--steps", "0"], "steps must be greater than or equal to 1, got 0"),
    "no steps for the toy world": (["--steps", "0"], "steps must be greater than or equal to 1, got 0"),
    "no images": ([*TINY, "--images", "0"], "images must be greater than or equal to 1, got 0"),
    "no answers": ([*TINY, "--answers", "0"], "answers must be greater than or equal to 1, got 0"),
    "channels of a cnn": (
        ["--channels", "8", "16"],
        "--channels must be one number with --encoder grid, got 8 16",
    ),
    "no channels": ([*TINY, "--channels", "8", "0"], "channels[1] must be greater than or equal to 1, got 0"),
    "climbing": ([*TINY, "--learning-rate", "-1"], "learning_rate must be greater than 0, got -1.0"),
    "not a number": ([*TINY, "--learning-rate", "nan"], "learning_rate must be a finite number, got nan"),
    "small image": ([*TINY, "--image-size", "8"], "image_size must be greater than or equal to 16, got 8"),
    "no threads": ([*TINY, "--threads", "0"], "--threads must be at least 1, got 0"),
    "nothing to resume": ([*TINY, "--resume", "--run", "new"], "nothing to resume, runs/vqa/new has not been started"),
    "both": ([*TINY, "--resume", "--restart"], "exclude each other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, monkeypatch, capsys, case: str) -> None:
    """No file is new afterwards, and the detector is not trained first."""
    for module in (commands, opened):
        monkeypatch.setattr(module, "load_detector", lambda *arguments: pytest.fail("the detector was asked for"))
    check_refused(main, *WRONG[case], capsys)


def test_a_missing_key_is_named(copy, capsys) -> None:
    annotations = Path("data/v2_mscoco_train2014_annotations.json")
    edit_json(annotations, lambda content: content["annotations"][0].pop("answers"))
    check_refused(main, [*TINY, "--run", "new"], "annotations[0]: the key 'answers' is missing", capsys)


@pytest.mark.parametrize("what", ["runs", "runs/vqa", "runs/vqa/vqa-v2"])
def test_a_file_in_the_way_is_named_before_the_first_step(copy, monkeypatch, capsys, what: str) -> None:
    forbid_training(monkeypatch)
    shutil.rmtree("runs")
    Path(what).parent.mkdir(parents=True, exist_ok=True)
    Path(what).write_text("a file in the way")
    check_refused(main, TINY, "runs", capsys)


@pytest.mark.parametrize("name", ["vocabulary.json", "run.json", "best.safetensors"])
def test_a_damaged_run_is_named(copy, capsys, name: str) -> None:
    (RUN / name).write_bytes(b"{}")
    check_refused(main, [*ASK, "ok.png", "how"], "damaged", capsys)


def parsed(*arguments: str) -> commands.Train:
    return cli.parse("vqa", commands.VERBS, arguments, commands.DEFAULT)


def test_the_data_set_and_the_configuration_give_the_defaults() -> None:
    assert parsed().chosen_config() == CONFIGS["toy"]
    assert isinstance(parsed("compare"), commands.Compare)
    assert parsed("compare", "--data", "easy-vqa").chosen_config() == CONFIGS["easy-vqa"]
    paper = parsed("--data", "vqa-v2", "--config", "paper", "--steps", "7").chosen_config()
    assert paper == replace(CONFIGS["paper"], steps=7)
    on_toy = parsed("--config", "paper").chosen_config()
    assert on_toy == replace(CONFIGS["paper"], background=CONFIGS["toy"].background), "an empty pixel is the data set's"


def test_from_another_folder(tmp_path) -> None:
    command = [sys.executable, "-m", "vqa", "ask", "a.png", "how?"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == "error: runs/vqa/toy holds no trained model: make one with python -m vqa\n"
