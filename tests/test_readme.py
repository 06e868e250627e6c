"""What the texts claim: their tables are those of the results; files, flags, tests and lines that they name exist."""

import importlib.util
import json
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from tests.vqa.test_train import lines_of_code
from vqa.__main__ import Ask, Compare, Train
from vqa.evaluate import PROMISES
from vqa.train import CONFIGS, Config

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("README.md", "CONTRIBUTING.md", "docs/measuring.md", "vqa/README.md")
PLANNED = ("word2vec", "clip_mini", "show_attend_tell", "cgan", "stft", "workbook")
MADE = ("runs", "decode.py")  # what a command makes, or what is spoken of in general


def load_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load_tables()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def commands(text: str) -> list[list[str]]:
    """The words after ``python`` of every command in a fenced block of shell lines, comments left out."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [part.strip() for block in blocks for line in block.splitlines() for part in line.split("&&")]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and Path(line[0]).name.startswith("python")]


def flags_of(*places: type) -> set[str]:
    names = {name for place in places for name in place.__dataclass_fields__} - {"fields"}
    return {f"--{name.replace('_', '-')}" for name in names}


FLAGS = {  # by what follows "python -m" (or the script)
    "vqa": flags_of(Train, Compare, Ask, Config),
    "docs/tables.py": {"--take", "--check", "--machine"},
    "toyworld": {"--split", "--seed", "--first", "--count", "--out"},
    "bench": {"--repetitions"},
    "tour": {"--resume"},
    "venv": set(),
    "pytest": set(),
    "pip": {"-c", "-e"},
}


def test_tables_are_those_of_the_results(capsys) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().out


def test_every_table_has_its_place() -> None:
    assert sorted(re.findall(r"<!-- results:([\w-]+) -->", read("vqa/README.md"))) == sorted(tables.BLOCKS)


def test_every_promise_is_told() -> None:
    (block,) = re.findall(r"<!-- results:promises -->(.*?)<!-- end -->", read("vqa/README.md"), flags=re.DOTALL)
    rows = {cells[0]: cells[1] for line in block.strip().splitlines()[2:] if (cells := line.strip("| ").split(" | "))}
    told = {name: float(promised) for name, promised in rows.items()}
    expected = {f"{data}, {split}: {kind}": 100 * promised for (data, split, kind), promised in PROMISES.items()}
    assert told.keys() == expected.keys()
    for name, promised in expected.items():
        assert told[name] == pytest.approx(promised, abs=1e-9), name


def test_promises_are_kept_in_the_results() -> None:
    results = json.loads(read("results/vqa.json"))
    for (data, split, kind), promised in PROMISES.items():
        if data in results:
            assert results[data]["accuracy"][split][kind] >= promised, (data, split, kind)


def test_the_question_alone_is_at_chance_in_the_results() -> None:
    """The toy world gives nothing away: no kind is 3 points off what guessing reaches."""
    entry = json.loads(read("results/vqa.json"))["ablations"]
    for kind, chance in entry["baselines"]["chance"].items():
        assert abs(entry["accuracy"]["product/question"][kind] - chance) <= 0.03, kind


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_and_picture_leads_somewhere(name: str) -> None:
    absent = {
        picture
        for entry, pictures in tables.TAKEN.items()
        if entry not in json.loads(read("results/vqa.json"))
        for picture in pictures.values()
    }
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", read(name)) if not target.startswith("http")]
    for target in targets:
        path = (ROOT / name).parent / target
        assert path.exists() or path.name in absent, f"{name}: {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    for span in code_spans(read(name)):
        if not re.fullmatch(r"[\w./-]+(\.(py|json|md|toml|txt)|/)", span) or span.split("/")[0] in (*PLANNED, *MADE):
            continue
        places = [ROOT / span, ROOT / "vqa" / span]
        in_a_run = span in ("results.json",)
        assert in_a_run or any(place.exists() for place in places), f"{name}: {span}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    for file, test in re.findall(r"`((?:[\w]+/)*test_\w+\.py)::(test_\w+)`", read(name)):
        path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / "vqa" / file
        assert path.is_file(), f"{name}: {file}"
        assert re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE), f"{name}: {test}"


def test_every_equation_leads_to_its_line() -> None:
    table = read("vqa/README.md").split("## 5.")[1].split("## 6.")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 8
    for equation, line, test in rows:
        file, place, *quoted = code_spans(line)
        source = read(f"vqa/{file}")
        assert re.search(rf"^(def|class) {place}\b", source, flags=re.MULTILINE), (equation, place)
        body = re.split(rf"^(?:def|class) {place}\b", source, flags=re.MULTILINE)[1]
        body = re.split(r"^(?:def|class|@)", body, flags=re.MULTILINE)[0]
        assert all(code in body for code in quoted), (equation, quoted)
        assert "::test_" in test, equation


def test_exercises_are_functions() -> None:
    section = read("vqa/README.md").split("## 9.")[1]
    source = "".join(read(f"vqa/{name}.py") for name in tables.CORE)
    names = [span for span in code_spans(section) if re.fullmatch(r"[a-z_]+", span)]
    assert len(names) >= 8
    for name in names:
        assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE), name


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_has_its_flags(name: str) -> None:
    spans = [shlex.split(span) for span in code_spans(read(name)) if span.startswith("python ")]
    for words in [*commands(read(name)), *(words[1:] for words in spans)]:
        target = words[1] if words[0] == "-m" else words[0]
        if not target.isupper() and target not in PLANNED:
            assert target in FLAGS, (name, words)
            flags = {word for word in words[2 if words[0] == "-m" else 1 :] if re.match(r"--?[a-z]", word)}
            assert flags <= FLAGS[target], (name, words)


def test_flags_in_running_text_exist() -> None:
    known = set().union(*FLAGS.values()) | {"--check", "--jaxtyping-packages"}
    for name in TEXTS:
        for span in code_spans(read(name)):
            assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", span)) <= known, (name, span)


@pytest.mark.parametrize("name", TEXTS)
def test_make_has_the_targets(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", read("Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (\w+)", read(name), flags=re.MULTILINE)) <= targets


def test_numbers_about_the_toy_world() -> None:
    from toyworld import ANSWERS, COLOURS, HELD_OUT, SHAPES, SIZES

    assert f"N = {len(ANSWERS)}, ln {len(ANSWERS)} ≈ 3.04" in read("vqa/README.md")
    assert f"a shape ({len(SHAPES)}), a colour ({len(COLOURS)}), a size ({len(SIZES)})" in read("README.md")
    listed = re.search(r"neither show nor name: (.*?)\.", read("docs/measuring.md"), flags=re.DOTALL).group(1)
    assert " ".join(listed.split()) == ", ".join(" ".join(pair) for pair in HELD_OUT)


def test_lines_are_counted_as_the_budget_counts_them() -> None:
    for name in tables.CORE:
        assert tables.lines_of_code(read(f"vqa/{name}.py")) == lines_of_code(read(f"vqa/{name}.py"))


def run_folder(folder: Path, seed: int, reached: float, data: str = "toy") -> Path:
    config = json.loads(json.dumps({"data": data, **CONFIGS[data].__dict__, "seed": seed, "steps": 7}))
    config.pop("data")
    splits = {"test": {"chance": {"all": 0.25}, "ceiling": {"all": 1.0}, "reached": {"all": reached}}}
    content = {"data": data, "config": config, "steps": 7, "seconds": 3.0 + seed, "threads": 2, "splits": splits}
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_run_is_taken_over_with_its_command(tmp_path) -> None:
    results = tables.take([run_folder(tmp_path / "a", 3, 0.5)], "two cores, CPU", {})
    assert results == {
        "toy": {
            "command": "python -m vqa --steps 7 --seed 3",
            "steps": 7,
            "seconds": 6.0,
            "machine": "two cores, CPU",
            "seeds": [3],
            "accuracy": {"test": {"all": 0.5}},
            "baselines": {"test": {"chance": {"all": 0.25}, "ceiling": {"all": 1.0}}},
        }
    }
    assert "| all | 25.00 | 100.00 | 50.00 |" in tables.judged("toy", results)


def test_several_seeds_give_the_first_with_their_spread(tmp_path) -> None:
    folders = [run_folder(tmp_path / str(seed), seed, reached) for seed, reached in ((0, 0.75), (1, 1.0), (2, 0.5))]
    results = tables.take(folders, "two cores, CPU", {})
    assert results["toy"]["accuracy"] == {"test": {"all": 0.75}}
    assert results["toy"]["spread"] == {"test": {"all": [0.5, 1.0]}}
    table = tables.judged("toy", results)
    assert "75.00 (50.00 to 100.00)" in table
    assert "`python -m vqa --steps 7`: 7 steps in 3 s of training (two cores, CPU; seed 0)" in table
    assert "In brackets: lowest to highest with the seeds 0, 1, 2." in table


def test_a_comparison_is_taken_over(tmp_path) -> None:
    folder, variants = tmp_path / "compare", {}
    for k, name in enumerate(tables.VARIANTS):
        run_folder(folder / name.replace(" ", "-"), 0, 0.1 * k)
        variants[name] = {"chance": {"all": 0.25}, "reached": {"all": 0.1 * k}}
    (folder / "results.json").write_text(json.dumps({"data": "toy", "split": "test", "variants": variants}))
    results = tables.take([folder], "two cores, CPU", {})
    entry = results["ablations"]
    assert list(entry["accuracy"]) == [
        "product/both", "sum/both", "concat/both", "product/question", "product/image",
    ]  # fmt: skip
    assert (entry["steps"], entry["seconds"]) == (5 * 7, 15.0)
    assert entry["command"] == "python -m vqa compare --steps 7"
    assert "| all | 25.00 | 0.00 | 10.00 | 20.00 | 30.00 | 40.00 |" in tables.ablations(results)


def test_what_cannot_be_taken_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"nowhere/results.json: there is no such file"):
        tables.take([tmp_path / "nowhere"], "", {})
    with pytest.raises(ValueError, match="data must be toy or easy-vqa, got 'vqa-v2'"):
        tables.take([run_folder(tmp_path / "c", 0, 0.5, "vqa-v2")], "", {})
    other = run_folder(tmp_path / "b", 1, 0.5)
    content = json.loads((other / "results.json").read_text())
    content["config"]["rate"] = 1.0
    (other / "results.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="runs of toy must have one configuration"):
        tables.take([run_folder(tmp_path / "a", 0, 0.5), other], "", {})


def test_a_block_is_filled_or_left_open() -> None:
    text = "a\n<!-- results:toy -->\nold\n<!-- end -->\nb\n"
    assert tables.filled(text, {}) == "a\n<!-- results:toy -->\n\nnot measured yet\n\n<!-- end -->\nb\n"
    with pytest.raises(ValueError, match=r"results: must be one of toy, .*, got 'tory'"):
        tables.filled(text.replace("toy", "tory"), {})


def test_take_writes_results_pictures_and_tables(tmp_path, monkeypatch) -> None:
    run = run_folder(tmp_path / "run", 0, 0.5)
    for picture in ("answers.png", "training.png"):
        (run / picture).write_bytes(picture.encode())
    readme, results, pictures = tmp_path / "vqa" / "README.md", tmp_path / "vqa.json", tmp_path / "pictures"
    for place, path in (("README", readme), ("RESULTS", results), ("PICTURES", pictures), ("ROOT", tmp_path)):
        monkeypatch.setattr(tables, place, path)
    pictures.mkdir()
    readme.parent.mkdir()
    readme.write_text("<!-- results:toy -->\n<!-- end -->\n")
    results.write_text("{}")
    assert tables.main(["--check"]) == 1
    assert readme.read_text() == "<!-- results:toy -->\n<!-- end -->\n"
    assert tables.main(["--take", str(run), "--machine", "a laptop"]) == 0
    assert json.loads(results.read_text())["toy"]["machine"] == "a laptop"
    assert "| all | 25.00 | 100.00 | 50.00 |" in readme.read_text()
    assert tables.main(["--check"]) == 0
    other = run_folder(tmp_path / "other", 1, 0.75)
    for picture in ("answers.png", "training.png"):
        (other / picture).write_bytes(b"of another seed")
    assert tables.main(["--take", str(run), str(other)]) == 0
    assert "50.00 (50.00 to 75.00)" in readme.read_text(), "numbers and pictures are the first run's"
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == {
        "vqa-answers.png": b"answers.png", "vqa-training.png": b"training.png",
    }  # fmt: skip
