"""The figures show the numbers they get: columns at their times, rows at their frequencies, marks at the harmonics."""

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image
from torch.testing import assert_close

from stft import figures
from stft.extensions.analysis import analyse
from stft.figures import Analysis
from stft.windows import blackman, hamming, hann, rectangular
from tests.pictures import check_texts, keep_figures
from tests.stft.checks import normal
from toyworld import Object, Scene, draw, hear, scene_at
from toyworld.scenes import RGB

pytestmark = pytest.mark.usefixtures("float32")
COLUMNS, STEP, LAST = 10, 0.2, 1.95  # columns, seconds a column, seconds


@pytest.fixture
def drawn(monkeypatch) -> Iterator[list[Figure]]:
    """The figures, as they are when they have been saved; drawing warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # "Glyph … missing from font(s)" among them
        yield keep_figures(monkeypatch, figures)


def made_up(rate: int) -> Analysis:
    """Numbers that are all different, so that an image of other or of transposed numbers differs."""
    spectrogram, mel = -80 * torch.rand(5, COLUMNS), -80 * torch.rand(4, COLUMNS)
    low, high = -torch.arange(1.0, COLUMNS + 1), torch.arange(1.0, COLUMNS + 1) / 2
    return Analysis(rate, LAST, STEP / 4, STEP, low, high, spectrogram, mel, torch.randn(13, COLUMNS), torch.zeros(16))


def thing(shape: str, colour: str, x: float, size: str = "large") -> Object:
    return Object(shape, colour, size, x, 0.5, 0.1, (0.0, 0.0, 0.0))


def panels(figure: Figure) -> dict[str, Axes]:
    """The axes by the label at their left."""
    return {axes.get_ylabel(): axes for axes in figure.axes}


def test_every_panel_shows_its_numbers(tmp_path, drawn) -> None:
    """The mel bands are labelled in Hz, up to half the rate, at 2595 log10(1 + f/700): 1000 Hz is 1000 mel.

    Four frames share a column, the first one's middle is at 0 s: so the first column begins half a frame before.
    """
    rate, ticks = 7000, (0, 250, 500, 1000, 2000)  # Hz; the ticks go up to half of the rate
    shown = made_up(rate)
    figures.draw_sound(tmp_path / "a.png", "a title", shown)
    (figure,) = drawn
    highest_mel = 2595 * math.log10(1 + rate / 2 / 700)
    largest = float(shown.mfcc[1:].abs().max())
    bins = (-rate / 2000 / 8, rate / 2000 * 9 / 8)  # five bins, the first at 0, the last at half the rate
    bands = (highest_mel / 10, highest_mel * 9 / 10)  # four bands, whose peaks lie a fifth of the scale apart
    expected = {  # by panel: values, from where to where they reach, what is shown, limits of the colours
        "frequency (kHz)": (shown.spectrogram, bins, (0, rate / 2000), (-80, 0)),
        "mel bands (Hz)": (shown.mel, bands, (0, highest_mel), (-80, 0)),
        "MFCC": (shown.mfcc[1:], (0.5, 12.5), (0.5, 12.5), (-largest, largest)),
    }
    for label, (values, heights, shown_heights, limits) in expected.items():
        axes = panels(figure)[label]
        (image,) = axes.images
        assert_close(torch.from_numpy(np.array(image.get_array())), values, rtol=0, atol=0)
        assert image.origin == "lower", "row 0 is the lowest"
        assert image.get_extent() == pytest.approx([-STEP / 8, COLUMNS * STEP - STEP / 8, *heights], rel=1e-5)
        assert image.get_clim() == pytest.approx(limits)
        assert axes.get_xlim() == (0, LAST)
        assert axes.get_ylim() == pytest.approx(shown_heights, rel=1e-5)
        assert axes.get_xlabel() == "time (s)"
        assert image.colorbar.ax.get_ylabel() == "dB"
    mel = panels(figure)["mel bands (Hz)"]
    assert [label.get_text() for label in mel.get_yticklabels()] == [f"{tick:,}" for tick in ticks]
    assert list(mel.get_yticks()) == pytest.approx([2595 * math.log10(1 + tick / 700) for tick in ticks])
    assert mel.get_yticks()[3] == pytest.approx(1000, abs=0.02)
    assert figure.get_suptitle() == "a title"
    Image.open(tmp_path / "a.png").verify()
    assert [axes.get_legend() for axes in figure.axes] == [None] * 4, "four panels, no scene, no legend"
    check_texts(figure)


@pytest.mark.parametrize(
    ("rate", "samples", "n_fft", "unit"),
    [
        (8000, 10, 16, "ms"),
        (1, 9000, 16, "h"),
        (44_100, 30_000, 2822, "s"),
    ],
)
def test_no_text_touches_another(tmp_path, drawn, rate: int, samples: int, n_fft: int, unit: str) -> None:
    """Sounds of ten samples and of hours, at the lowest and the highest rate, with the longest name."""
    sound = normal(1, samples).float()
    title = "가" * 20 + "…" + "나" * 19 + f"\n{rate:,} Hz, stereo, 600.00 min, rectangular window of 65,536 samples"
    shown, short = (analyse([sound], rate, samples, n) for n in (n_fft, max(4, n_fft // 8)))
    figures.draw_sound(tmp_path / "a.png", title, shown)
    figures.draw_frames(tmp_path / "b.png", title.splitlines()[0], shown, short)
    figures.draw_windows(tmp_path / "c.png", title, shown.loudest, rate)
    assert {axes.get_xlabel() for axes in drawn[0].axes[:4]} == {f"time ({unit})"}
    for figure in drawn:
        check_texts(figure)


def test_two_frame_lengths_side_by_side(tmp_path, drawn) -> None:
    sound = normal(1, 4000).float()
    long, short = (analyse([sound], 8000, 4000, n) for n in (512, 64))
    figures.draw_frames(tmp_path / "a.png", "a", long, short)
    for axes, shown in zip(drawn[0].axes, (long, short), strict=False):
        assert np.array_equal(axes.images[0].get_array(), shown.spectrogram)
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, 0.5), (0, 4))
    titles = [axes.get_title() for axes in drawn[0].axes[:2]]
    assert titles == ["512 samples, 64 ms: 15.62 Hz per bin", "64 samples, 8 ms: 125 Hz per bin"]


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0.5, [0, 0.05, 0.1, 0.2, 0.5]),
        (8000.0, [0, 250, 500, 1000, 2000, 4000, 8000]),
        (22_050.0, [0, 500, 1000, 2000, 4000, 8000, 16_000]),
    ],
)
def test_ticks_of_the_mel_bands(highest: float, ticks: list[float]) -> None:
    assert figures.mel_ticks(highest) == ticks


def test_the_outline_goes_from_lowest_to_highest(tmp_path, drawn) -> None:
    """A column begins at its time and reaches from its lowest to its highest sample."""
    figures.draw_sound(tmp_path / "a.png", "a", made_up(8000))
    axes = panels(drawn[0])["amplitude"]
    (path,) = axes.collections[0].get_paths()
    corners = {(round(x, 6), round(y, 6)) for x, y in path.vertices.tolist()}
    for column in range(COLUMNS - 1):
        for height in (-(column + 1), (column + 1) / 2):
            assert (round(column * STEP, 6), height) in corners
            assert (round((column + 1) * STEP, 6), height) in corners
    assert axes.get_xlim() == (0, LAST)


HARMONICS = {  # shape, colour, Hz: harmonics from −50 dB on, worked out by hand
    ("circle", "red", 400): [1],
    ("triangle", "yellow", 500): [1, 3, 5, 7, 9, 11, 13, 15],  # 1/k²: the fifteenth has −47 dB
    ("diamond", "green", 550): [1, 2, 4, 8],  # the sixteenth would have 8800 Hz
    ("star", "blue", 650): [*range(1, 13)],
    ("cross", "purple", 700): [1, 5],
    ("square", "orange", 450): [1, 3, 5, 7, 9, 11, 13, 15, 17],
}


@pytest.mark.parametrize("names", [list(HARMONICS)[:4], list(HARMONICS)[4:]], ids=["four", "two"])
def test_marks_and_numbers_stand_at_the_harmonics(tmp_path, drawn, names: list) -> None:
    objects = [thing(shape, colour, 0.2 + 0.2 * k, "small") for k, (shape, colour, _) in enumerate(names)]
    scene = Scene(tuple(objects), (0.9, 0.9, 0.9), 0.0)
    figures.draw_sound(tmp_path / "a.png", "a", made_up(16_000), scene)
    (figure,) = drawn
    axes = panels(figure)["frequency (kHz)"]
    written = [(text.get_position(), text.get_text(), to_hex(text.get_color()).upper()) for text in axes.texts]
    expected = []
    for k, ((shape, colour, hz), marks) in enumerate(zip(names, axes.lines, strict=True)):
        numbers, time = HARMONICS[shape, colour, hz], 0.2 + 0.2 * k
        assert list(marks.get_ydata()) == pytest.approx([number * hz / 1000 for number in numbers])
        assert list(marks.get_xdata()) == pytest.approx([time + 0.03] * len(numbers)), "at the end of the attack"
        assert marks.get_label() == f"small {colour} {shape}, {hz} Hz"
        assert marks.get_color() == pytest.approx([0.65 * part + 0.35 for part in RGB[colour]]), "its own, but lighter"
        labelled = [number for number in numbers if number * hz < 0.97 * 8000]  # 7800 Hz would touch the border
        expected += [
            ((time + 0.055, number * hz / 1000), str(number), to_hex(marks.get_color()).upper()) for number in labelled
        ]
    assert len(written) == len(expected)
    for (place, number, colour), (expected_place, *others) in zip(written, expected, strict=True):
        assert place == pytest.approx(expected_place)
        assert [number, colour] == others
    outline = panels(figure)["amplitude"]
    assert [text.get_text() for text in outline.get_legend().get_texts()] == [line.get_label() for line in axes.lines]
    assert outline.get_legend().get_window_extent().y0 >= outline.get_window_extent().y1, "it covers no wave"
    assert {text.get_bbox_patch().get_facecolor() for text in axes.texts} == {(0, 0, 0, 1)}, "no tone crosses a number"
    (image,) = [axes for axes in figure.axes if not axes.axison]
    assert np.array_equal(image.images[0].get_array(), draw([scene], 256)[0].permute(1, 2, 0).numpy())
    check_texts(figure, axes.texts)


def test_what_is_heard_is_under_the_marks(tmp_path, drawn) -> None:
    """At each mark no neighbouring bin is louder. Only the numbers of simultaneous notes may touch each other."""
    scene = scene_at("test", 0, 10)
    clip = hear(scene)
    shown = analyse([clip], 16_000, clip.shape[-1])
    figures.draw_sound(tmp_path / "a.png", "test 10, heard", shown, scene)
    axes = panels(drawn[0])["frequency (kHz)"]
    left, right, bottom, top = axes.images[0].get_extent()
    rows, columns = shown.spectrogram.shape
    for marks in axes.lines:
        for time, kilohertz in marks.get_xydata().tolist():
            column = int((time - left) / (right - left) * columns)
            row = round((kilohertz - bottom) / (top - bottom) * (rows - 1))
            here = shown.spectrogram[row - 1 : row + 2, column].max()
            assert here == shown.spectrogram[row - 2 : row + 3, column].max() > -50, (time, kilohertz)
    check_texts(drawn[0], axes.texts)


def test_silence_is_drawn(tmp_path, drawn) -> None:
    figures.draw_sound(tmp_path / "a.png", "a", analyse([torch.zeros(1, 4000)], 8000, 4000))
    figures.draw_windows(tmp_path / "b.png", "b", torch.zeros(512), 8000)
    lowest, highest = panels(drawn[0])["MFCC"].images[0].get_clim()
    assert lowest == -highest < 0
    for axes in drawn[1].axes:
        assert max(axes.lines[0].get_ydata()) < -100, "below all that is shown"


HAMMING, TITLES = 2, {  # Harris 1978, table 1: −13, −32 (more exactly −31.5), −43 and −58 dB
    "Rectangular: main lobe 2 bins, side lobes −13 dB": 3.92,  # scalloping loss in dB, from the same table
    "Hann: main lobe 4 bins, side lobes −31 dB": 1.42,
    "Hamming: main lobe 4 bins, side lobes −43 dB": 1.75,
    "Blackman: main lobe 6 bins, side lobes −58 dB": 1.10,
}  # fmt: skip


def test_two_tones_under_each_window(tmp_path, drawn) -> None:
    """Between the bins 32 and 33, and on bin 36. At the bins, the weak tone is a peak only with Hamming's window."""
    figures.draw_leakage(tmp_path / "a.png")
    (figure,) = drawn
    assert [axes.get_title() for axes in figure.axes] == list(TITLES)
    for k, (axes, loss) in enumerate(zip(figure.axes, TITLES.values(), strict=True)):
        line, points, mark = axes.lines
        assert list(points.get_xdata()) == [31.25 * bin for bin in range(257)]
        assert list(line.get_xdata()) == [31.25 / 32 * point for point in range(257 * 32 - 31)]
        assert list(line.get_ydata())[::32] == pytest.approx(list(points.get_ydata()), abs=1e-6)
        assert max(line.get_ydata()) == 0
        assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(32.5 * 31.25, abs=31.25 / 32)
        assert points.get_ydata()[32:34] == pytest.approx([-loss] * 2, abs=0.25)  # the weak tone adds 0.15 dB at most
        before, peak, after = points.get_ydata()[35:38]
        assert (before < peak > after) == (k == HAMMING), axes.get_title()
        assert mark.get_xydata().tolist() == [[36 * 31.25, -37]]
        assert abs(peak + 37) < 2 or k == 0, "the circle is at the weak tone"
        assert (axes.get_xlim(), axes.get_ylim()) == ((800, 1400), (-100, 5))
    Image.open(tmp_path / "a.png").verify()
    assert figure.get_supxlabel() == "frequency (Hz)"
    check_texts(figure)


def test_a_frame_of_a_sound_is_shown_from_0_to_half_the_rate(tmp_path, drawn) -> None:
    figures.draw_windows(tmp_path / "a.png", "the title", normal(100), 7000)
    (figure,) = drawn
    assert figure.get_suptitle() == "the title"
    for axes in figure.axes:
        assert axes.get_xlim() == (0, 3500)
        assert [len(line.get_xdata()) for line in axes.lines] == [1601, 51], "nothing is marked"
    check_texts(figure)


@pytest.mark.parametrize("loudness", [0.3, 1e-6, 200.0])
def test_levels_of_a_tone_on_a_bin_by_hand(loudness: float) -> None:
    """0 dB on the bin, and a_j/(2a₀) at j bins from it, where a_j are the window's coefficients."""
    x = loudness * torch.sin(2 * math.pi * 20 * torch.arange(64, dtype=torch.float64) / 64)
    beside = {rectangular: (0, 0), hann: (1 / 2, 0), hamming: (0.23 / 0.54, 0), blackman: (0.25 / 0.42, 0.04 / 0.42)}
    for window, (first, second) in beside.items():
        frequencies, heights = figures.levels_of(x * window(64).double(), 8000, 1)
        assert frequencies == [125 * k for k in range(33)]
        expected = [0.0] * 18 + [second, first, 1, first, second] + [0.0] * 10
        assert heights == pytest.approx([20 * math.log10(max(1e-7, level)) for level in expected], abs=1e-5)
