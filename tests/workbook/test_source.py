"""Blanks, planted mistakes and mutants: what changes in a file's text, and what stays."""

import ast

import pytest

from workbook import mutants, source
from workbook.exercises import ROOT, exercises_of, find_exercise, mistake_of, papers_with_exercises, place
from workbook.mutants import core_files, equivalents, mutants_of
from workbook.work import blanked

TEXT = '''"""A file."""

X = 1  # stays


class Model:
    def forward(
        self, x: int
    ) -> int:
        """Twice :math:`x`."""
        y = x  # goes
        return 2 * y

    def other(self) -> int:
        # a comment that tells the answer
        return X
'''


def test_a_blank_keeps_signature_docstring_and_all_other_lines() -> None:
    got = source.blank(TEXT, "Model.forward", "m is still blank", "twice x")
    lines, new = TEXT.splitlines(), got.splitlines()
    assert new[:10] == lines[:10]
    assert new[10:12] == ["        # twice x", '        raise NotImplementedError("m is still blank")']
    assert new[12:] == lines[12:]
    assert source.is_blank(got, "Model.forward")
    assert not source.is_blank(got, "Model.other")


def test_a_comment_at_the_beginning_of_a_body_goes_too() -> None:
    assert "tells" not in source.blank(TEXT, "Model.other", "m is still blank")


def test_a_note_in_korean_is_as_wide_as_one_in_english() -> None:
    """A Korean letter has the width of two, so its lines have half as many letters."""
    assert max(map(len, source.wrapped("word " * 40, 40))) == 39
    assert max(map(source.columns, source.wrapped("단어 " * 40, 40))) in range(30, 41)


def test_with_body_and_body_are_inverse() -> None:
    assert source.with_body(TEXT, "Model.other", source.body(TEXT, "Model.other")) == TEXT
    assert source.function(TEXT, "Model.forward") == (
        "def forward(\n    self, x: int\n) -> int:\n    y = x  # goes\n    return 2 * y"
    )


def test_a_planted_mistake_is_one_change() -> None:
    assert source.planted(TEXT, "Model.forward", "2 * y", "3 * y") == TEXT.replace("2 * y", "3 * y")
    with pytest.raises(ValueError, match=r"must have 'y' once, it comes 2 times"):
        source.planted(TEXT, "Model.forward", "y", "z")


def test_a_function_that_was_deleted_is_named() -> None:
    with pytest.raises(ValueError, match=r"Model\.gone is not in the file any more"):
        source.find(TEXT, "Model.gone")


@pytest.mark.parametrize("paper", papers_with_exercises())
def test_the_blanks_of_a_paper(paper: str) -> None:
    """Only the bodies of the exercises and of hidden functions differ from the real files; each is what it must be."""
    texts = blanked(paper)
    for exercise in exercises_of(paper):
        name = place(exercise.name)[1]
        real = (ROOT / exercise.file).read_text(encoding="utf-8")
        assert source.is_blank(texts[exercise.file], name) == (exercise.plant is None)
        assert source.body(texts[exercise.file], name) != source.body(real, name)
        for mistake in exercise.mistakes:
            assert mistake_of(paper, mistake).__doc__
        for hidden in exercise.hides:
            file, inner = place(hidden)
            assert source.HIDDEN in source.body(texts[file], inner)
            texts[file] = source.with_body(texts[file], inner, source.body((ROOT / file).read_text(), inner))
    for exercise in exercises_of(paper):
        name = place(exercise.name)[1]
        body = source.body((ROOT / exercise.file).read_text(), name)
        texts[exercise.file] = source.with_body(texts[exercise.file], name, body)
    assert texts == {file: (ROOT / file).read_text() for file in texts}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"the paper must be one of word2vec, .*, got 'nothing'"),
        ("vqa.metric.nothing", r"the exercise must be one of vqa\.metric\.agreement, .*, got 'vqa\.metric\.nothing'"),
    ],
)
def test_an_unknown_name_is_one_line(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_exercise(name)


def test_mutants_of_a_small_file() -> None:
    text = 'def f(x: "a + b", y=True):\n    """1 + 1"""\n    z = -x\n    return z.sum(dim=0) + 2 if y else x < 3\n'
    changes = [mutant.change for mutant in mutants_of(text)]
    first, last = "def f(x: 'a + b', y=True):", "return z.sum(dim=0) + 2 if y else x < 3"
    assert changes == [f"{was}  →  {now}" for was, now in (
        (first, "def f(x: 'a + b', y=False):"),
        ("z = -x", "pass"),
        ("z = -x", "z = +x"),
        (last, "return z.sum(dim=0) + 2 if not y else x < 3"),
        (last, "return z.sum(dim=0) - 2 if y else x < 3"),
        (last, "return z.mean(dim=0) + 2 if y else x < 3"),
        (last, "return z.sum(dim=1) + 2 if y else x < 3"),
        (last, "return z.sum(dim=0) + 3 if y else x < 3"),
        (last, "return z.sum(dim=0) + 2 if y else x <= 3"),
        (last, "return z.sum(dim=0) + 2 if y else x < 4"),
    )]  # fmt: skip
    assert [mutant.function for mutant in mutants_of(text)] == ["", *["f"] * 9], "a default is in no body"
    unchanged = ast.unparse(ast.parse(text))
    texts = {mutant.text for mutant in mutants_of(text)}
    assert unchanged not in texts
    assert len(texts) == len(changes)


def test_a_mutant_knows_its_method_and_leaves_checks_alone() -> None:
    """The sign of an axis stays, too: -1 and 1 are the same axis of a matrix."""
    text = "X = 1\nclass C:\n    y = 2\n    def f(self):\n        return zip([3], x.any(dim=-4), strict=True)\n"
    assert [mutant.function for mutant in mutants_of(text)] == ["", "", "C.f", "C.f"]


@pytest.mark.parametrize("file", equivalents())
def test_what_is_listed_as_equivalent_is_a_mutant_of_today(file: str) -> None:
    changes = {mutant.change for mutant in mutants_of((ROOT / file).read_text(encoding="utf-8"))}
    assert set(equivalents()[file]) <= changes
    assert all(equivalents()[file].values()), "each has its reason"


def test_core_files_with_tests_have_mutants() -> None:
    """A function that the file's own tests do not name has the tests that import it."""
    files = core_files()
    named = [f"tests/cgan/test_{name}.py" for name in ("loss", "text_to_image", "edges", "defaults")]
    assert mutants.tests_of("cgan/loss.py") == named
    assert not {"vqa/figures.py", "vqa/__main__.py"} & set(files)
    assert {"clip_mini/loss.py", "vqa/metric.py", "stft/transform.py", "show_attend_tell/decode.py"} <= set(files)
    assert len(mutants_of((ROOT / "clip_mini/zero_shot.py").read_text(encoding="utf-8"))) > 5
