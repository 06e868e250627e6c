"""The tour trains every paper, compares it with its promises, and leaves one file that needs nothing else."""

import base64
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
import soundfile
import torch
from PIL import Image

from detector import commands as detector_commands
from detector.commands import DetectorTask
from detector.report.chapter import tell as detector_page
from lab.chapter import Chapter, Exhibit, Page, Row, TrainedChapter, exhibits
from lab.cli import TrainingOptions
from lab.papers import PAPERS, part
from stft.datasets.sound import write_sound
from stft.report import chapter as stft_chapter
from tests import toy
from tests.refusals import check_refused
from tour import commands as tour_commands
from tour.__main__ import main
from tour.report import write_report
from tour.tour import chapters, plain_table, take_tour
from vqa import commands as vqa_commands
from vqa.__main__ import main as vqa_main
from vqa.commands import VQATask
from vqa.report.chapter import vqa_chapter
from word2vec.commands import tasks as word2vec_tasks
from word2vec.commands.tasks import ToyTask
from word2vec.data import toy_vocabulary
from word2vec.extensions.objectives import ObjectiveConfig
from word2vec.report.chapter import word2vec_chapter

REPORT = Path("runs/tour/report.html")


def made_up(reached: float, folder: Path) -> Page:
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "a <b>.png"
    Image.new("RGB", (7, 5), (10, 200, 30)).save(image)
    write_sound(folder / "a.wav", torch.zeros(2, 800), 8000)
    rows = (Row("accuracy, test: all", 0.25, reached, 0.9), Row("accuracy, test: count", 0.2, 1.0, 0.5))
    shown = (Exhibit(image, 'What a "picture" shows.'), Exhibit(folder / "a.wav", "What is heard."))
    return Page("VQA & more", "toy", "A <paragraph>.", rows, 12.4, shown)


def small_chapters() -> list[Chapter | TrainedChapter]:
    """The detector and all papers in a few steps; all of their promises are kept."""
    heard = {("toy", "test", "colour"): 0.0}
    return [
        TrainedChapter(
            "detector", "toy", toy.DETECTOR, lambda options, command: DetectorTask(toy.DETECTOR), kept(detector_page)
        ),
        word2vec_chapter(WORDS, {("toy", "held out", "all"): 0.0}),
        vqa_chapter("toy", toy.VQA, {("toy", "test", "all"): 0.0, ("toy", "compositional", "all"): 0.0}),
        Chapter(partial(stft_chapter.stft_page, promises=heard, sounds=3)),
    ]


WORDS = ObjectiveConfig(steps=2, sentences=8, dim=4)
words_of = cache(toy_vocabulary)  # to count them takes longer than all other steps here


def kept(tell: Callable) -> Callable:
    """The page with promises that any detector keeps."""

    def page(trained) -> Page:
        told = tell(trained)
        return replace(told, rows=tuple(replace(row, promised=0.0) for row in told.rows))

    return page


FIGURES = [
    (detector_commands, "draw_detections"),
    (vqa_commands, "draw_answers"),
    (vqa_commands, "draw_training"),
    (word2vec_tasks, "draw_relations"),
    (word2vec_tasks, "draw_training"),
]


def save_dot(path: Path, *arguments: object) -> Path:
    """In place of a figure, which takes longer than all steps of these tests."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (1, 1)).save(path)
    return path


def make_small(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on ``python -m tour`` is a small tour in ``folder``."""
    toy.make_small(patch, folder)
    patch.setattr(tour_commands, "chapters", small_chapters)
    patch.setattr(word2vec_tasks, "toy_vocabulary", words_of)
    patch.setattr("lab.training.advise_on_threads", lambda: None)
    for module, name in FIGURES:
        patch.setattr(module, name, save_dot)
    patch.setattr(stft_chapter, "hear_scene", lambda folder, *scene: [save_dot(folder / "heard.png")])


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    make_small(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def toured(tmp_path_factory) -> tuple[Path, str]:
    """A folder after a small tour, and what the tour printed."""
    folder = tmp_path_factory.mktemp("tour")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        make_small(patch, folder)
        main([])
    return folder, printed.getvalue()


@pytest.fixture
def after(toured, small, monkeypatch) -> Path:
    """The folder after the small tour is the working directory; a test must leave it as it is."""
    monkeypatch.chdir(toured[0])
    return toured[0]


def steps_taken(patch: pytest.MonkeyPatch, interrupt: tuple[str, int] | None = None) -> list[tuple[str, int]]:
    """(paper, step) of all trainings from now on; Ctrl-C comes once, in the step ``interrupt``."""
    taken = []

    def note(original: Callable) -> Callable:
        def train(self, model, optimizers, device, steps, log) -> None:
            def noted():
                for step in steps:
                    if (self.paper, step) == interrupt and interrupt not in taken:
                        signal.raise_signal(signal.SIGINT)
                    taken.append((self.paper, step))
                    yield step

            original(self, model, optimizers, device, noted(), log)

        return train

    for task in (DetectorTask, VQATask, ToyTask):
        patch.setattr(task, "train", note(task.train))
    return taken


ALL_STEPS = [(paper, step) for paper, steps in (("detector", 2), ("word2vec", 2), ("vqa", 3)) for step in range(steps)]
LAST_STEPS = [("detector", 1), ("word2vec", 1), ("vqa", 2)]


@pytest.mark.parametrize(("reached", "promise_kept"), [(0.9, True), (0.95, True), (0.8999, False)])
def test_a_promise_is_kept_or_the_status_is_1(small, monkeypatch, capsys, reached: float, promise_kept: bool) -> None:
    monkeypatch.setattr(tour_commands, "chapters", lambda: [Chapter(lambda options: made_up(reached, small / "made"))])
    if promise_kept:
        main([])
    else:
        with pytest.raises(SystemExit) as stopped:
            main([])
        assert stopped.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(REPORT)
    assert lines[0].split() == ["paper", "data", "measured", "chance", "reached", "promised", "seconds"]
    assert ("below its promise: VQA & more, toy, accuracy, test: all" in lines) is not promise_kept
    assert ("✗" in lines[1], "✗" in lines[2]) == (not promise_kept, False)
    assert REPORT.is_file()


def report(folder: Path, *reached: float) -> str:
    """The report on made-up pages; their files are gone when it is read."""
    pages = [made_up(share, folder / str(k)) for k, share in enumerate(reached)]
    write_report(folder / "report.html", pages)
    for exhibit in (one for page in pages for one in page.exhibits):
        exhibit.path.unlink()
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_report_is_one_file_with_its_pictures_and_sounds_inside(tmp_path) -> None:
    text = report(tmp_path, 0.95, 0.1)
    images = re.findall(r'<img alt="What a &quot;picture&quot; shows." src="data:image/png;base64,([^"]*)"', text)
    assert len(images) == text.count("<img ") == 2
    sounds = re.findall(r'<audio controls src="data:audio/wav;base64,([^"]*)"', text)
    assert len(sounds) == 2
    assert soundfile.read(io.BytesIO(base64.b64decode(sounds[0])))[0].shape == (800, 2)
    for data in images:
        assert Image.open(io.BytesIO(base64.b64decode(data))).getpixel((3, 3)) == (10, 200, 30)
    assert not re.findall(r"https?:|//|<link|<script|@import|url\(", re.sub(r'src="[^"]*"', "", text))
    assert text.count("<section ") == text.count("</section>") == 2
    assert "VQA & more" not in text
    assert "<paragraph>" not in text
    assert text.count("10.00% ✗") == 1


def test_the_verdict_comes_first_then_text_then_pictures(tmp_path) -> None:
    text = report(tmp_path, 0.95, 0.1)
    parts = ["Broken promises: 1 of 4", 'href="#1"', "promises kept", 'id="0"', "A &lt;paragraph", "chance", "<img"]
    assert sorted(parts, key=text.index) == parts
    assert "accuracy, test: all: 90.0% are promised, 10.00% were reached" in text
    assert re.findall(r"(\d) of 2<", text) == ["2", "1"]
    good = report(tmp_path, 0.95)
    assert "Every promise is kept, 2 in all" in good
    assert "✗" not in good
    assert "class=broken" not in good


def test_the_report_fits_a_telephone(tmp_path) -> None:
    """Each table and picture is in a box that scrolls, and a table has few columns."""
    text = report(tmp_path, 0.95)
    assert '<meta name="viewport" content="width=device-width' in text
    assert len(re.findall('<div class="wide"><(table|img)', text)) == text.count("<table") + text.count("<img")
    assert max(line.count("<th>") for line in text.splitlines()) == 4
    assert ".wide { overflow-x: auto; }" in text


def test_what_is_shown_is_found_by_its_name(tmp_path) -> None:
    files = [tmp_path / name for name in ("b.gif", "b.png", "example.png", "a.wav")]
    assert exhibits(files, {"a": "A.", "gone": "C.", "b": "B."}) == (Exhibit(files[3], "A."), Exhibit(files[1], "B."))


def test_the_table_is_aligned(tmp_path) -> None:
    lines = plain_table([made_up(0.95, tmp_path / "one")]).splitlines()
    assert len(lines) == 3
    assert len({line.index("accuracy") for line in lines[1:]}) == 1
    assert len({len(line) for line in lines}) == 1


def test_every_chapter_is_compared_with_its_promises(toured) -> None:
    folder, printed = toured
    rows = [re.split(r"\s{2,}", line)[:3] for line in printed.splitlines()[1:-1]]
    assert ["VQA", "toy", "accuracy, test: all"] in rows
    assert ["VQA", "toy", "accuracy, compositional: all"] in rows
    assert ["detector", "toy", "all right, test"] in rows
    assert ["word2vec", "toy", "analogies, held out pairs: all"] in rows
    assert ["STFT", "toy", "accuracy by ear, test: colour"] in rows
    text = (folder / REPORT).read_text(encoding="utf-8")
    assert text.count("<section ") == 4
    assert text.count("data:image/png;base64,") == 6  # of the detector 1, word2vec 2, VQA 2, STFT 1


def test_the_runs_of_the_tour_are_those_of_the_papers(after, capsys) -> None:
    """Right after the tour, the README's example of ``ask`` works."""
    vqa_main(["ask", "runs/vqa/toy/example.png", "how many stars are there?"])
    assert capsys.readouterr().out.count("%") == 5
    command = json.loads(Path("runs/vqa/toy/run.json").read_text())["command"]
    assert command == "python -m tour"


def test_what_is_finished_is_not_trained_again(after, monkeypatch, capsys, toured) -> None:
    taken = steps_taken(monkeypatch)
    main(["--resume"])
    assert taken == []
    table, before = (re.sub(r" +\d+\n", "\n", text) for text in (capsys.readouterr().out, toured[1]))  # no seconds
    assert table == before


@pytest.mark.parametrize("at", [("detector", 0), ("word2vec", 0), ("vqa", 1), ("vqa", 2)])
def test_a_stopped_tour_goes_on_with_the_command_that_it_prints(small, monkeypatch, capsys, at) -> None:
    taken = steps_taken(monkeypatch, interrupt=at)
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 130
    if at in LAST_STEPS:
        assert "the run is finished" in capsys.readouterr().err
    else:
        assert "go on with python -m tour --resume\n" in capsys.readouterr().err
        check_refused(main, [], "holds an unfinished run: go on with python -m tour --resume", capsys)
    main(["--resume"])
    assert taken == ALL_STEPS, "each step is taken once"
    assert capsys.readouterr().out.splitlines()[-1] == str(REPORT)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (detector_commands, "evaluate"),
        (word2vec_tasks, "baselines"),
        (vqa_commands, "baselines"),
        (stft_chapter, "hearing"),
    ],
)
def test_control_c_is_130_wherever_it_comes(small, monkeypatch, capsys, module, name: str) -> None:
    """Also in judging and drawing, and in a chapter that trains nothing; what was trained is not trained again."""
    taken = steps_taken(monkeypatch)
    with monkeypatch.context() as patch:
        original = getattr(module, name)
        patch.setattr(module, name, lambda *arguments: (signal.raise_signal(signal.SIGINT), original(*arguments))[1])
        with pytest.raises(SystemExit) as stopped:
            main([])
    assert stopped.value.code == 130
    assert "Traceback" not in capsys.readouterr().err
    main(["--resume"])
    assert taken == ALL_STEPS


@pytest.mark.parametrize("command", ["tour", "vqa"])
@pytest.mark.parametrize("module", ["tyro", "torch"])
def test_control_c_while_modules_are_imported_is_130(tmp_path, command: str, module: str) -> None:
    script = f"""
import runpy, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
sys.argv = [{command!r}]
runpy.run_module({command!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("way", ["another configuration", "unfinished", "a file"])
def test_a_run_in_the_way_is_named_before_the_first_step_of_the_first_chapter(
    small, monkeypatch, capsys, way: str
) -> None:
    """The last trained chapter's place is taken: nothing before it is trained. --restart replaces a run."""
    if way == "a file":
        Path("runs/vqa").mkdir(parents=True)
        Path("runs/vqa/toy").write_text("not a run")
    else:
        with monkeypatch.context() as patch:
            steps_taken(patch, interrupt=("vqa", 0) if way == "unfinished" else None)
            arguments = [*toy.VQA_FLAGS, "--seed", "5"]
            if way == "unfinished":
                with pytest.raises(SystemExit):
                    vqa_main(arguments)
            else:
                vqa_main(arguments)
        capsys.readouterr()
    taken = steps_taken(monkeypatch)
    message = {
        "another configuration": "runs/vqa/toy holds a finished run of another configuration (seed was 5 and is 0 now)",
        "unfinished": "runs/vqa/toy.unfinished holds an unfinished run: go on with python -m tour --resume",
        "a file": "runs/vqa/toy is in the way and is no finished run: move it elsewhere",
    }[way]
    check_refused(main, [], message, capsys)
    assert taken == []
    if way != "a file":
        main(["--restart"])
        assert taken == ALL_STEPS
        assert json.loads(Path("runs/vqa/toy/run.json").read_text())["config"]["seed"] == 0


def test_every_promise_has_a_chapter(monkeypatch) -> None:
    """The tour has the detector's chapter and those of each paper, one for each data set that it promises about."""
    trained = {(chapter.paper, chapter.name) for chapter in chapters() if isinstance(chapter, TrainedChapter)}
    for paper in ("detector", *PAPERS):
        own = part(paper, "report.chapter").CHAPTERS
        assert all(chapter in chapters() for chapter in own), paper
        promised = {key[0] for key in part(paper, "evaluate").PROMISES if len(key) == 3}
        for data in promised if all(isinstance(chapter, TrainedChapter) for chapter in own) else ():
            assert (paper, data) in trained, f"{paper} promises something about {data}, which no chapter trains"


def test_a_tour_of_no_chapters_is_empty(small, capsys) -> None:
    assert take_tour(small, [], TrainingOptions(), "python -m tour")


def test_wrong_input_is_one_line(small, capsys) -> None:
    check_refused(main, ["--resum"], "did you mean --resume?", capsys)
    check_refused(main, ["--threads", "0"], "--threads must be at least 1, got 0", capsys)
