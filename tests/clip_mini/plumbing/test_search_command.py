"""``search`` and ``tag`` on a tiny model that was never trained: what they print is what the model computes."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from PIL import Image
from torch import nn

from clip_mini.commands import opened, tag
from clip_mini.commands import search as commands
from clip_mini.data import caption, encode, toy_tokenizer
from clip_mini.extensions import search_figures
from clip_mini.train import Config, build
from lab import cli
from lab.checkpoint import save_weights
from lab.figure import PALETTE
from lab.images import load_image
from tests.pictures import check_texts, keep_figures
from tests.refusals import check_refused
from toyworld.drawing import draw
from toyworld.facts import Description, Exists, Relation, holds
from toyworld.korean import politeness
from toyworld.rng import Rng
from toyworld.tokenizer import END

CONFIG = Config(
    image_size=16, channels=(4, 8, 8), heads=2, text_width=8, text_heads=2, text_layers=1, common=8, context=12
)  # fmt: skip
RUN = Path("runs/clip_mini/toy")
CPU = ["--device", "cpu"]


class Work:
    """The open model, and what a test can change of it."""

    def __init__(self, language: str = "english") -> None:
        torch.manual_seed(0)
        self.tokenizer = toy_tokenizer(language)
        self.model = build(CONFIG, len(self.tokenizer), END).eval()
        self.data, self.config = {"data": "toy"}, replace(CONFIG, language=language)
        self.compared: list[Path] = []  # the files that are compared with the toy world's images
        save_weights(RUN / "best.safetensors", nn.ModuleDict({"model": self.model}))

    def compare(self, files, command: str, machine: cli.Machine) -> None:
        self.compared += files

    def open(self, name: str, command: str):
        return RUN, self.data, self.config, self.tokenizer, self.model

    @torch.no_grad()
    def text(self, *texts: str) -> torch.Tensor:
        return self.model.encode_text(encode(self.tokenizer, texts, CONFIG.context))

    @torch.no_grad()
    def images(self, images: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(images)


@pytest.fixture
def work(tmp_path, monkeypatch) -> Work:
    monkeypatch.chdir(tmp_path)
    work = Work()
    monkeypatch.setattr(opened, "open_model", work.open)
    for module in (commands, tag):
        monkeypatch.setattr(module, "warn_of_unlike", work.compare)
    return work


@pytest.fixture
def photos(work) -> Path:
    """Two images in a folder and one in a subfolder, of different shapes."""
    folder = Path("photos")
    for k, (name, size) in enumerate((("a.png", (40, 30)), ("b.png", (16, 16)), ("trip/c.png", (20, 50)))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = torch.randint(0, 256, (*size[::-1], 3), generator=torch.Generator().manual_seed(k))
        Image.fromarray(pixels.byte().numpy()).save(folder / name)
    return folder


def main(*arguments: str) -> None:
    """The command line with these two verbs alone."""
    with cli.command_line():
        verb = cli.parse("python -m clip_mini", (commands.Search, tag.Tag), arguments)
        verb.execute("python -m clip_mini " + " ".join(arguments))


def refused(arguments, message: str, capsys) -> None:
    check_refused(lambda words: main(*words), arguments, message, capsys)


def rows(out: str) -> list[tuple[float, str]]:
    """Cosine and the rest of each row of the table."""
    found = [re.match(r" +(\d+) +(-?\d\.\d{3})  (.*)", line) for line in out.splitlines()]
    found = [match for match in found if match]
    assert [int(match[1]) for match in found] == list(range(1, len(found) + 1))
    return [(float(match[2]), match[3]) for match in found]


def nearest_to(query: torch.Tensor, vectors: torch.Tensor, top: int) -> tuple[list[float], list[int]]:
    scores, order = (query @ vectors.T)[0].sort(descending=True, stable=True)
    return scores[:top].tolist(), order[:top].tolist()


def test_a_text_finds_scenes_and_the_facts_judge_them(work, capsys, monkeypatch) -> None:
    figures = keep_figures(monkeypatch, search_figures)
    main("search", "a small shape below a circle", "--scenes", "60", "--top", "7", *CPU)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "ignored, because unknown: shape"
    main("search", "A small star below a circle", "--scenes", "300", "--top", "7", *CPU)
    out = capsys.readouterr().out
    scenes = [commands.scene_to_search("test", k) for k in range(300)]
    fact = Relation(Description("small", None, "star"), "below", Description(None, None, "circle"))
    cosines, found = nearest_to(work.text("a small star below a circle"), work.images(draw(scenes, 16)), 7)
    right = [holds(fact, scenes[k]) for k in found]
    table = rows(out)
    assert [cosine for cosine, _ in table] == pytest.approx(cosines, abs=6e-4)
    for (_, row), k, true in zip(table, found, right, strict=True):
        assert row.startswith(f"{'yes' if true else 'no '}    scene {k}: "), row
        assert scenes[k].objects[0].colour in row
    count = sum(holds(fact, scene) for scene in scenes)
    assert f"{count} of the 300 scenes (test split) show this" in out
    assert out.splitlines()[-1] == str(RUN / "search.png")
    panels = [axes for axes in figures[-1].findobj(Axes) if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == [
        f"{k + 1} · {cosine:.3f} {'✓' if true else '✗'}"
        for k, (cosine, true) in enumerate(zip(cosines, right, strict=True))
    ]
    colours = [to_hex(axes.spines["top"].get_edgecolor()).upper() for axes in panels]
    assert colours == [PALETTE.green if true else PALETTE.vermillion for true in right]
    check_texts(figures[-1])


def test_a_right_result_is_green(work, capsys, monkeypatch) -> None:
    figures = keep_figures(monkeypatch, search_figures)
    main("search", "an object", "--scenes", "9", "--top", "3", *CPU)
    assert [row.split()[0] for _, row in rows(capsys.readouterr().out)] == ["yes"] * 3
    panels = [axes for axes in figures[-1].findobj(Axes) if axes.get_visible()]
    assert {to_hex(axes.spines["left"].get_edgecolor()).upper() for axes in panels} == {PALETTE.green}


def test_a_pair_that_training_never_shows_is_searched_where_it_is(work, capsys) -> None:
    for words, split in (("red circle", "compositional"), ("red star", "test")):
        main("search", words, "--scenes", "30", *CPU)
        assert f"of the 30 scenes ({split} split) show" in capsys.readouterr().out
    main("search", "red circle", "--scenes", "30", "--split", "test", *CPU)
    assert "0 of the 30 scenes (test split) show this" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("red circle", (Exists(Description(None, "red", "circle")),)),
        ("An Orange  circle.", (Exists(Description(None, "orange", "circle")),)),
        ("큰 별", (Exists(Description("large", None, "star")),)),
        ("circle red", ()),
        ("a zebra", ()),
        *(
            (text, (Relation(Description(None, "red", "star"), "left of", Description(None, None, "cross")),))
            for text in (
                "red star left of a cross",
                "a red star to the left of a cross",
                "a red star is left of a cross",
                "the red star is left of the cross",
            )
        ),
    ],
)
def test_searches_are_read_as_facts(text: str, facts) -> None:
    assert commands.read_facts(text) == facts


def test_what_the_model_does_not_read_is_said(work, capsys) -> None:
    """An unknown word changes nothing, and neither do words beyond the context."""
    main("search", "red zebra star, Zebra!", "--scenes", "20", *CPU)
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "ignored, because unknown: zebra"
    main("search", "red star", "--scenes", "20", *CPU)
    cosines = [cosine for cosine, _ in rows(capsys.readouterr().out)]
    assert [cosine for cosine, _ in rows("\n".join(others))] == cosines
    assert "not judged" in others[-2]
    main("search", "a red circle and " * 3, "--scenes", "20", *CPU)
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "cut, because too long: the model reads the first 10 of 12 token ids"
    main("search", "a red circle and " * 2 + "a red", "--scenes", "20", *CPU)
    assert rows(capsys.readouterr().out) == rows("\n".join(others))


def test_an_image_finds_captions(work, photos, capsys, monkeypatch) -> None:
    figures = keep_figures(monkeypatch, search_figures)
    main("search", "--image", str(photos / "a.png"), "--scenes", "40", "--top", "4", *CPU)
    texts = list(
        dict.fromkeys(
            caption(commands.scene_to_search("test", k), "english", Rng(f"clip_mini/search/test/{k}"))
            for k in range(40)
        )
    )
    image = work.images(load_image(photos / "a.png", 16)[None].float() / 255)
    cosines, found = nearest_to(image, work.text(*texts), 4)
    table = rows(capsys.readouterr().out)
    assert [row for _, row in table] == [texts[k] for k in found]
    assert [cosine for cosine, _ in table] == pytest.approx(cosines, abs=6e-4)
    bars = [bar.get_width() for axes in figures[-1].findobj(Axes) for bar in axes.patches]
    assert bars == pytest.approx(cosines, abs=1e-5)
    check_texts(figures[-1])


@pytest.mark.parametrize("index", ["exact", "faiss"])
def test_a_text_and_an_image_find_images_of_a_folder(work, photos, capsys, monkeypatch, index: str) -> None:
    if index == "faiss":
        pytest.importorskip("faiss")
    figures = keep_figures(monkeypatch, search_figures)
    names = ["a.png", "b.png", "trip/c.png"]
    vectors = work.images(torch.stack([load_image(photos / name, 16) for name in names]).float() / 255)
    for query, words in ((work.text("red star"), ["red star"]), (vectors[2:], ["--image", str(photos / "trip/c.png")])):
        main("search", *words, "--folder", str(photos), "--index", index, *CPU)
        out, error = capsys.readouterr()
        cosines, found = nearest_to(query, vectors, 5)
        table = rows(out)
        assert [row for _, row in table] == [names[k] for k in found]
        assert [cosine for cosine, _ in table] == pytest.approx(cosines, abs=6e-4)
        assert "searched 3 images in photos" in out
        assert error == ""
        shapes = [axes.images[0].get_size() for axes in figures[-1].findobj(Axes) if axes.images]
        assert shapes == [[(30, 40), (16, 16), (50, 20)][k] for k in found], "they are drawn as they are, not squeezed"
        check_texts(figures[-1])
    assert found[0] == 2, "the image itself is the nearest"


def test_the_images_that_a_model_of_the_toy_world_reads_are_compared_with_its_own(work, photos, capsys) -> None:
    """The one that is searched with, and those that are found; a model of photographs compares none."""
    image = photos / "trip/c.png"
    main("search", "red star", "--scenes", "4", *CPU)
    assert work.compared == []
    main("tag", str(image), *CPU)
    main("search", "--image", str(image), "--scenes", "4", *CPU)
    assert work.compared == [image] * 2
    main("search", "red star", "--folder", str(photos), "--top", "2", *CPU)
    assert [str(path.relative_to(photos)) in capsys.readouterr().out for path in work.compared[2:3]] == [True]
    assert len(work.compared) == 4
    work.data = {"data": "emoji"}
    main("search", "--image", str(image), "--folder", str(photos), *CPU)
    assert len(work.compared) == 4


def test_the_features_of_a_folder_are_kept_until_the_model_changes(work, photos, capsys, monkeypatch) -> None:
    pytest.importorskip("faiss")
    seen, encode_image = [], work.model.encode_image
    monkeypatch.setattr(work.model, "encode_image", lambda images: seen.append(len(images)) or encode_image(images))
    for words in (["red star"], ["--index", "faiss", "a circle"], ["--index", "faiss", "a circle"]):
        main("search", *words, "--folder", str(photos), *CPU)
    assert seen == [3]
    shutil.copy(photos / "a.png", photos / "d.png")
    main("search", "--index", "faiss", "a circle", "--folder", str(photos), *CPU)
    assert seen == [3, 1]
    assert "d.png" in capsys.readouterr().out, "the index is of the folder as it is now"
    with torch.no_grad():
        work.model.image_projection.weight.neg_()
    save_weights(RUN / "best.safetensors", nn.ModuleDict({"model": work.model}))
    main("search", "red star", "--folder", str(photos), *CPU)
    assert seen == [3, 1, 4]


def test_a_damaged_image_is_named_and_the_search_goes_on(work, photos, capsys) -> None:
    (photos / "bad.jpg").write_text("no image")
    main("search", "red star", "--folder", str(photos), *CPU)
    out, error = capsys.readouterr()
    assert len(rows(out)) == 3
    assert error.startswith("left out: photos/bad.jpg: not an image, or damaged")
    assert error.count("\n") == 1


def test_korean_captions_are_found_in_one_level_of_politeness(work, photos, monkeypatch, capsys) -> None:
    monkeypatch.setattr(opened, "open_model", Work("korean").open)
    main("search", "--image", str(photos / "a.png"), "--scenes", "40", "--top", "40", *CPU)
    levels = {politeness(text) for _, text in rows(capsys.readouterr().out)}
    assert levels == {"polite", None}


@pytest.mark.parametrize("language", ["english", "korean"])
def test_tags_are_probabilities_of_the_words(language: str, work, photos, monkeypatch, capsys) -> None:
    """For each kind, the softmax over cosines with the mean of all captions of one object with that word."""
    work = Work(language)
    monkeypatch.setattr(opened, "open_model", work.open)
    main("tag", str(photos / "a.png"), *CPU)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["colour", "shape", "size"]
    small, large = tag.WORDS[language][0].values()
    colours, shapes = tag.WORDS[language][1].values(), tag.WORDS[language][2].values()
    means = []
    for size in (small, large):
        texts = [f"{start}{size} {c} {s}" for start in tag.BEGINNINGS[language] for c in colours for s in shapes]
        assert not any(work.tokenizer.unknown(text) for text in texts)
        mean = work.text(*texts).mean(dim=0)
        means.append(mean / mean.norm())
    image = work.images(load_image(photos / "a.png", 16)[None].float() / 255)
    p = (work.model.log_scale.exp() * image @ torch.stack(means).T).softmax(dim=1)[0].tolist()
    for word, probability in zip((small, large), p, strict=True):
        assert f"{word} {100 * probability:.1f}%" in lines[2]
    for line in lines:
        percents = [float(number) for number in re.findall(r"([\d.]+)%", line)]
        assert percents == sorted(percents, reverse=True)
        assert sum(percents) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "search with a TEXT or with --image FILE, one of the two; got neither"),
        (["search", "red", "--image", "photos/a.png"], "one of the two; got both"),
        (["search", "  "], "the text must not be empty"),
        (["search", "zebra"], "at least one word that the model knows, got 'zebra'"),
        (["search", "!?"], "at least one word that the model knows, got '!?'"),
        (["search", "red", "--top", "0"], "--top must be at least 1, got 0"),
        (["search", "red", "--scenes", "0"], "--scenes must be at least 1, got 0"),
        (["search", "red", "--folder", "photos", "--scenes", "9"], "do not go with --folder"),
        (["search", "red", "--folder", "photos", "--split", "test"], "do not go with --folder"),
        (["search", "red", "--folder", "nowhere"], "nowhere: there is no such folder"),
        (["search", "red", "--folder", "runs"], "runs: there is no image in it"),
        (["search", "red", "--index", "faiss"], "--index faiss needs --folder DIR"),
        (["search", "--image", "nowhere.png"], "nowhere.png: there is no such file"),
        (["tag", "nowhere.png"], "nowhere.png: there is no such file"),
    ],
)
def test_wrong_input_is_one_line(work, photos, capsys, arguments, message: str) -> None:
    refused(arguments + CPU, message, capsys)


def test_without_faiss_one_line_says_how_to_get_it(work, photos, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    refused(["search", "red", "--folder", "photos", "--index", "faiss", *CPU], "pip install faiss-cpu", capsys)


def test_a_model_of_other_data_searches_folders_only(work, photos, capsys) -> None:
    work.data["data"] = "emoji"
    refused(["search", "red", *CPU], "trained on emoji, not on the toy world: give --folder DIR", capsys)
    refused(["tag", "photos/a.png", *CPU], "trained on emoji, not on the toy world", capsys)
    main("search", "red", "--folder", "photos", *CPU)


def test_the_grid_has_room_for_long_words_and_many_images(tmp_path, monkeypatch) -> None:
    figures = keep_figures(monkeypatch, search_figures)
    images = [torch.rand(30, 50, 3).numpy()] * 12
    names = ["a very long folder's name/and a long name of a file.png"] * 12
    search_figures.draw_grid(tmp_path / "a.png", "a large red circle " * 10, images, [0.5] * 12, [None] * 12, names)
    search_figures.draw_grid(tmp_path / "b.png", "a large red circle " * 10, images[:1], [-0.5], [True])
    captions = ["the large purple triangle is to the right of the small purple triangle."] * 9
    search_figures.draw_captions(tmp_path / "c.png", images[0], captions, [0.9 - 0.2 * k for k in range(9)])
    check_texts(figures[0])
    check_texts(figures[2])
