"""``python -m toyworld``: one row for each example, readable texts, and errors for wrong input."""

import re
import warnings
from itertools import combinations

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lab.figure import DOTS_PER_INCH, style
from toyworld import hear, read, scene_at
from toyworld.__main__ import main
from toyworld.scenes import Object, Scene
from toyworld.sheet import FOOT, HEAD, ROW, WIDTH, captions, draw_sheet, spectrogram


def run(*arguments: object) -> None:
    main([str(argument) for argument in arguments])


def test_the_command_writes_the_sheet_and_prints_its_path(tmp_path, capsys) -> None:
    out = tmp_path / "new" / "sheet.png"
    run("--split", "test", "--seed", 3, "--first", 5, "--count", 2, "--out", out)
    assert capsys.readouterr() == (f"{out}\n", "")
    assert Image.open(out).size == (WIDTH, HEAD + 2 * ROW + FOOT)


def test_out_has_a_default(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    run("--count", 1)
    assert capsys.readouterr().out == "runs/toyworld/sheet.png\n"
    assert (tmp_path / "runs/toyworld/sheet.png").is_file()


def test_texts_are_inside_the_sheet_and_do_not_overlap() -> None:
    rows = 3
    with style(), warnings.catch_warnings():
        warnings.simplefilter("error")  # for example "Glyph … missing from font(s)"
        size = (WIDTH / DOTS_PER_INCH, (HEAD + rows * ROW + FOOT) / DOTS_PER_INCH)
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        draw_sheet(figure, "compositional", 0, 0, rows)
        canvas.draw()
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        boxes = {text: text.get_window_extent(canvas.get_renderer()) for text in texts}
    sheet = figure.get_window_extent()
    for text, box in boxes.items():
        assert sheet.x0 <= box.x0 < box.x1 <= sheet.x1, f"{text} is cut off"
        assert sheet.y0 <= box.y0 < box.y1 <= sheet.y1, f"{text} is cut off"
        for axes in figure.axes:
            if text not in axes.findobj(Text):
                assert not box.overlaps(axes.get_window_extent()), f"{text} overlaps an image"
    for (a, first), (b, second) in combinations(boxes.items(), 2):
        assert not first.overlaps(second), f"{a} overlaps {b}"


def test_all_korean_captions_of_a_sheet_are_polite() -> None:
    for index in range(60):
        said = captions(scene_at("train", 0, index), f"train/0/{index}/sheet")
        assert not re.search(r"(?<!니)다\.", said["korean"]), said["korean"]
        assert read(said["korean"], "korean") == read(said["english"], "english")


def test_the_spectrogram_shows_a_note_at_its_pitch_and_time() -> None:
    """A large blue circle at x = ½: a sine of 650 Hz from 0.5 s on, and nothing else."""
    o = Object("circle", "blue", "large", 0.5, 0.5, 0.15, (0.0, 0.0, 0.0))
    decibels = spectrogram(hear(Scene((o,), (0.9, 0.9, 0.9), 0.5)))
    frequencies, frames = decibels.shape
    hz, seconds = torch.linspace(0, 4000, frequencies), torch.linspace(0, 2, frames)
    assert decibels.max() == 0
    row, column = divmod(int(decibels.argmax()), frames)
    assert abs(hz[row] - 650) <= 8  # half a bin
    assert 0.5 <= seconds[column] <= 0.6
    assert decibels[:, seconds < 0.45].max() < -100
    assert decibels[hz > 750].max() < -40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "valid"), "split must be one of train, test, compositional, got 'valid'"),
        (("--count", 0), "count must be from 1 to 40, got 0"),
        (("--count", 41), "count must be from 1 to 40, got 41"),
        (("--first", -1), "first must not be negative, got -1"),
        (("--out", "."), "out must be a .png file, got '.'"),
    ],
)
def test_wrong_input_is_one_line(arguments, message: str, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as raised:
        run("--out", tmp_path / "sheet.png", *arguments)
    assert raised.value.code == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")
    assert not list(tmp_path.iterdir())
