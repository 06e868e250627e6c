"""The tour trains what it is given, holds it to its promises, and leaves one file that needs nothing else."""

import base64
import io
import re
import signal
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from lab.chapter import Chapter, Row
from stft.evaluate import PROMISES as HEARD
from stft.report.chapter import stft_chapter
from tour import __main__ as command
from tour.report import write_report
from tour.tour import PAPERS, plain_table, take_tour
from toyworld.questions import ANSWERS, question_at
from vqa.commands import train_and_judge as commands
from vqa.data import Vocabulary
from vqa.datasets import sources
from vqa.evaluate import PROMISES
from vqa.report.chapter import vqa_chapter
from vqa.train import Config
from word2vec.evaluate import PROMISES as ANALOGIES
from word2vec.report.chapter import word2vec_chapter
from word2vec.train import Config as WordConfig

TINY = Config(
    steps=2, pictures=4, questions=2, lessons=1, image_size=16, embedding=4, hidden=4, common=8, warmup=2,
)  # fmt: skip


def made_up(reached: float, folder: Path) -> Chapter:
    folder.mkdir(parents=True)
    picture = folder / "a <b>.png"
    Image.new("RGB", (7, 5), (10, 200, 30)).save(picture)
    rows = (Row("accuracy, test: all", 0.25, reached, 0.9), Row("accuracy, test: count", 0.2, 1.0, 0.5))
    return Chapter("VQA & more", "toy", "A <paragraph>.", rows, 12.4, (picture,))


@pytest.mark.parametrize(("reached", "kept"), [(0.9, True), (0.95, True), (0.8999, False)])
def test_a_promise_is_kept_or_the_status_is_1(tmp_path, monkeypatch, capsys, reached: float, kept: bool) -> None:
    monkeypatch.chdir(tmp_path)
    made = {"made-up": partial(made_up, reached)}
    monkeypatch.setattr(command, "take_tour", lambda folder, papers: take_tour(folder, made))
    if kept:
        command.main()
    else:
        with pytest.raises(SystemExit) as stopped:
            command.main()
        assert stopped.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "runs/tour/report.html"
    assert lines[0].split() == ["paper", "data", "measured", "chance", "reached", "promised", "seconds"]
    assert ("below its promise: VQA & more, toy, accuracy, test: all" in lines) is not kept
    assert ("✗" in lines[1], "✗" in lines[2]) == (not kept, False)
    assert Path(lines[-1]).is_file()


def test_the_report_is_one_file_with_its_pictures_inside(tmp_path) -> None:
    chapters = [made_up(0.95, tmp_path / "one"), made_up(0.1, tmp_path / "two")]
    write_report(tmp_path / "report.html", chapters)
    for chapter in chapters:
        chapter.pictures[0].unlink()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    sources_of_pictures = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert len(sources_of_pictures) == 2
    for source in sources_of_pictures:
        head, data = source.split(",")
        assert head == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).getpixel((3, 3)) == (10, 200, 30)
    assert not re.findall(r"https?:|//|<link|<script|@import|url\(", re.sub(r'src="[^"]*"', "", page))
    assert page.count("<section>") == page.count("</section>") == 2
    assert page.count("VQA &amp; more") == 6  # two headings, four rows
    assert page.count("A &lt;paragraph&gt;.") == 2
    assert page.count("class=broken") == 1
    assert "10.00% ✗" in page
    assert page.count("12</td>") == 4


def test_the_table_is_aligned(tmp_path) -> None:
    lines = plain_table([made_up(0.95, tmp_path / "one")]).splitlines()
    assert len(lines) == 3
    assert len({line.index(word) for line, word in zip(lines[1:], ("accuracy", "accuracy"), strict=True)}) == 1
    assert len({len(line) for line in lines}) == 1


def few_questions_vocabulary() -> Vocabulary:
    """The toy world's, out of fewer questions: counting all of them takes longer than the test."""
    return Vocabulary.of((question_at("train", 0, k)[1].text for k in range(300)), ANSWERS)


def test_vqa_is_trained_anew_and_measured(tmp_path, monkeypatch, capsys) -> None:
    """Over a run that was left unfinished; of two promises one cannot be kept, and one of another paper is not its."""
    monkeypatch.setattr(sources, "TOY_VALIDATION", 12)
    monkeypatch.setattr(sources, "TOY_TEST", 24)
    monkeypatch.setattr(sources, "toy_vocabulary", few_questions_vocabulary)
    promises = {("toy", "test", "all"): 0.0, ("toy", "compositional", "all"): 1.1, ("other", "test", "all"): 1.0}
    left = tmp_path / "vqa-toy.unfinished" / "last.pt"
    left.parent.mkdir()
    left.write_bytes(b"garbage")
    papers = {"vqa-toy": partial(vqa_chapter, "toy", config=TINY, promises=promises)}
    assert not take_tour(tmp_path, papers)
    _, *rows, broken, path = capsys.readouterr().out.splitlines()
    cells = [re.split(r"\s{2,}", row) for row in rows]
    assert [row[:3] for row in cells] == [
        ["VQA", "toy", f"accuracy, {name}: all"] for name in ("test", "compositional")
    ]
    assert [row[3][-1] + row[5] for row in cells] == ["%0.0%", "%110.0%"]
    assert broken == "below its promise: VQA, toy, accuracy, compositional: all"
    assert path == str(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/png;base64,") == 2
    assert not left.exists()


def test_every_promise_has_a_paper() -> None:
    promised = {"vqa": PROMISES, "stft": HEARD, "word2vec": ANALOGIES}
    assert {f"{paper}-{data}" for paper, promises in promised.items() for data, _, _ in promises} == set(PAPERS)


def test_word2vec_is_trained_anew_and_measured(tmp_path, capsys) -> None:
    """Over a run that was left unfinished; of two promises one cannot be kept."""
    left = tmp_path / "word2vec-toy.unfinished" / "last.pt"
    left.parent.mkdir()
    left.write_bytes(b"garbage")
    promises = {("toy", "held out", "all"): 1.1, ("toy", "known", "colour"): 0.0}
    config = WordConfig(steps=2, sentences=8, dim=4)
    assert not take_tour(tmp_path, {"word2vec-toy": partial(word2vec_chapter, config=config, promises=promises)})
    _, *rows, broken, path = capsys.readouterr().out.splitlines()
    cells = [re.split(r"\s{2,}", row) for row in rows]
    assert [row[:3] for row in cells] == [
        ["word2vec", "toy", f"analogies, {name}"] for name in ("held out pairs: all", "known pairs: colour")
    ]
    assert broken == "below its promise: word2vec, toy, analogies, held out pairs: all"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/png;base64,") == 2
    assert path == str(tmp_path / "report.html")
    assert not left.exists()


def test_stft_is_heard_and_measured(tmp_path, capsys) -> None:
    """Of two promises one cannot be kept; nothing is trained, and nothing is left to be gone on with."""
    promises = {("toy", "test", "colour"): 1.0, ("toy", "compositional", "place"): 1.1}
    assert not take_tour(tmp_path, {"stft-toy": partial(stft_chapter, promises=promises, sounds=5, resume=True)})
    _, *rows, broken, path = capsys.readouterr().out.splitlines()
    cells = [re.split(r"\s{2,}", row) for row in rows]
    assert [row[:6] for row in cells] == [
        ["STFT", "toy", "accuracy by ear, test: colour", "12.5%", "100.00%", "100.0%"],
        ["STFT", "toy", "accuracy by ear, compositional: place", "2.6%", "100.00% ✗", "110.0%"],
    ]
    assert broken == "below its promise: STFT, toy, accuracy by ear, compositional: place"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/png;base64,") == 2
    assert path == str(tmp_path / "report.html")


def test_a_stopped_tour_goes_on_as_it_says(tmp_path, monkeypatch, capsys) -> None:
    """Ctrl-C in a chapter; the command that is printed goes on behind the lessons and the steps that were taken."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOY_VALIDATION", "TOY_TEST"):
        monkeypatch.setattr(sources, name, 60)
    original, taken = commands.train, []

    def stops(model, optimizer, batch_at, steps, log, rate_at, *of_lessons) -> None:
        def until_ctrl_c():
            for step in steps:
                if not taken:
                    signal.raise_signal(signal.SIGINT)
                taken.append(step)
                yield step

        original(model, optimizer, batch_at, steps if of_lessons else until_ctrl_c(), log, rate_at, *of_lessons)

    monkeypatch.setattr(commands, "train", stops)
    monkeypatch.setattr(command, "PAPERS", {"vqa-toy": partial(vqa_chapter, "toy", config=TINY, promises={})})
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 130
    assert "go on with python -m tour --resume" in capsys.readouterr().err
    monkeypatch.setattr(commands, "give_lessons", None)  # calling it would be a TypeError
    command.main(resume=True)
    assert taken == [0, 1], "each step is taken once"
    assert capsys.readouterr().out.splitlines()[-1] == "runs/tour/report.html"
