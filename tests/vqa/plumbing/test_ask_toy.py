"""Models of the toy world, in both languages: what they are asked, and what ``ask`` warns of."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from detector.decode import Detection
from tests import toy
from tests.refusals import check_refused
from toyworld.question_text import ANSWERS_IN, samples
from vqa.__main__ import main
from vqa.commands import ask
from vqa.report.tables import take

LANGUAGES = {"toy": "english", "toy-korean": "korean"}  # by run
CPU = ["--device", "cpu"]
FOUND = [
    Detection("red", "star", "small", 0.2, 0.2, 0.9),
    Detection("red", "circle", "large", 0.6, 0.6, 0.8),  # a pair that training never shows
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a model for each language, on pixels: no detector is needed before it warns."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        toy.make_small(patch, folder)
        for language in LANGUAGES.values():
            main([*toy.VQA_FLAGS, "--encoder", "cnn", *CPU, "--language", language])
    return folder


@pytest.fixture
def warned(trained, monkeypatch) -> list:
    """The files that ``warn_of_unlike`` is asked about."""
    toy.make_small(monkeypatch, trained)
    files: list = []
    monkeypatch.setattr(ask, "warn_of_unlike", lambda paths, command, machine: files.extend(paths))
    monkeypatch.setattr(ask, "read_objects", lambda file, command, machine: [])
    return files


def asked(capsys, run: str, question: str) -> tuple[list[str], str]:
    main(["ask", "--run", run, f"runs/vqa/{run}/example.png", question, *CPU])
    said = capsys.readouterr()
    return [line.split()[-1] for line in said.out.splitlines() if "%" in line], said.err


@pytest.mark.parametrize("run", LANGUAGES)
def test_a_trained_form_gets_no_warning(warned, capsys, run: str) -> None:
    for question in samples(LANGUAGES[run]):
        answers, err = asked(capsys, run, question)
        assert set(answers) <= set(ANSWERS_IN[LANGUAGES[run]])
        assert err == ""
    assert warned == [Path(f"runs/vqa/{run}/example.png")] * 6, "the image is looked at, each time"


OTHER = {
    "toy": ("how many stars do you count?", "what color is the star?", "is there a star? is there a cross?", "object"),
    "toy-korean": ("별은 무슨 색이야?", "별은 몇 개예요?", "큰 별이 있습니까?", "물체는"),
}


@pytest.mark.parametrize(("run", "question"), [(run, text) for run, texts in OTHER.items() for text in texts])
def test_any_other_form_gets_one_line(warned, capsys, run: str, question: str) -> None:
    answers, err = asked(capsys, run, question)
    assert len(answers) == 5
    assert err.count("\n") == 1
    assert err.startswith(f"warning: no training question has the form of {question!r}")
    assert all(sample in err for sample in samples(LANGUAGES[run]))


@pytest.mark.parametrize(
    ("run", "question", "language"),
    [("toy", "별은 무슨 색입니까?", "English"), ("toy-korean", "how many stars are there?", "Korean")],
)
def test_another_language_is_named(warned, capsys, run: str, question: str, language: str) -> None:
    arguments = ["ask", "--run", run, f"runs/vqa/{run}/example.png", question, *CPU]
    check_refused(main, arguments, f"the model's questions are in {language}: {samples(language.lower())[0]}", capsys)


HELD_OUT = {  # what is asked about the red star and the red circle, and the question by size that is proposed
    ("toy", "what colour is the circle?"): "what colour is the large object?",
    ("toy", "the red object has what shape?"): "what shape is the large object?",
    ("toy-korean", "원은 무슨 색입니까?"): "큰 물체는 무슨 색입니까?",
    ("toy", "what colour is the star?"): None,
    ("toy", "what colour is the large object?"): None,
    ("toy", "is there a red circle?"): None,
}


@pytest.mark.parametrize(("run", "question"), HELD_OUT)
def test_an_answer_that_the_words_rule_out_gets_one_line(warned, monkeypatch, capsys, run: str, question: str) -> None:
    proposed = HELD_OUT[run, question]
    monkeypatch.setattr(ask, "read_objects", lambda file, command, machine: FOUND)
    _, err = asked(capsys, run, question)
    assert err.count("\n") == (proposed is not None)
    if proposed:
        assert err.startswith("warning: the image seems to show a red circle, and training shows none")
        assert err.endswith(f"Ask by size: {proposed}\n")
    monkeypatch.setattr(ask, "warn_of_unlike", lambda paths, command, machine: paths)
    assert asked(capsys, run, question)[1] == "", "in an image unlike the toy world, no object can be relied on"


def test_a_language_makes_another_run(warned) -> None:
    """Another name, other words and answers; what is measured is told apart."""
    folders = [Path("runs/vqa") / run for run in LANGUAGES]
    for folder, language in zip(folders, LANGUAGES.values(), strict=True):
        assert json.loads((folder / "vocabulary.json").read_text())["answers"] == list(ANSWERS_IN[language])
        assert json.loads((folder / "results.json").read_text())["data"] == {"data": "toy", "language": language}
    assert list(take(folders, "one core, CPU", {})) == ["toy", "toy-korean"]


def test_a_comparison_in_korean(warned, monkeypatch) -> None:
    """Each of its models is trained on Korean questions, in a folder of its own."""
    compared: dict = {}

    def compare(tasks, options, command):
        compared.update(tasks)
        raise ValueError("enough")

    monkeypatch.setattr("lab.training.compare", compare)
    with pytest.raises(SystemExit):
        main(["compare", *toy.VQA_FLAGS, "--encoder", "cnn", *CPU, "--language", "korean"])
    assert {task.data["language"] for task in compared.values()} == {"korean"}
    assert [task.name for task in compared.values()][:2] == ["compare/toy-korean/product", "compare/toy-korean/sum"]


def test_a_korean_run_is_judged_in_korean(warned, capsys) -> None:
    before = Path("runs/vqa/toy-korean/results.json").read_text()
    main(["judge", "--run", "toy-korean", *CPU])
    out = capsys.readouterr().out
    assert "toy-korean, test split" in out
    assert "promised" in out.splitlines()[1], "the same musts as in English"
    assert Path("runs/vqa/toy-korean/results.json").read_text() == before


def test_help_lists_the_forms(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["ask", "--help"])
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for part in ("how many … are there?", "large objects", "…은/는 몇 개입니까?"):
        assert part in out
