"""What the texts claim: their tables are those of the results; files, flags, tests and lines that they name exist."""

import json
import math
import re
import shlex
from pathlib import Path

import pytest
import tables

from lab import tables as parts
from stft.__main__ import Hear, Invert, Measure, Show, Stretch
from stft.evaluate import PROMISES as HEARD
from stft.report import tables as stft_tables
from stft.windows import WINDOWS, main_lobe_width, scalloping_loss, side_lobe_level
from tests.vqa.test_train import lines_of_code
from vqa.__main__ import Ask, Compare, Train
from vqa.evaluate import PROMISES
from vqa.report import tables as vqa_tables
from vqa.train import CONFIGS, Config
from word2vec import __main__ as word2vec_command
from word2vec.data import toy_vocabulary
from word2vec.evaluate import PROMISES as ANALOGIES
from word2vec.extensions.engine import BOUND, NOISE, ROW
from word2vec.extensions.text import TextConfig
from word2vec.report import tables as word2vec_tables
from word2vec.train import Config as WordConfig

ROOT = Path(__file__).resolve().parent.parent
PAPERS = ("stft", "vqa", "word2vec")
TEXTS = ("README.md", "CONTRIBUTING.md", "docs/measuring.md", *(f"{paper}/README.md" for paper in PAPERS))
PLANNED = ("clip_mini", "show_attend_tell", "cgan", "workbook")
MADE = ("runs", "decode.py", "PAPER")  # what a command makes, or what is spoken of in general


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
    "stft": flags_of(Hear, Show, Stretch, Invert, Measure) - {"--file", "--folder"},
    "word2vec": flags_of(
        WordConfig,
        TextConfig,
        *(
            getattr(word2vec_command, verb)
            for verb in ("Train", "Compare", "TrainText", "Nearest", "Analogy", "Evaluate", "Export", "Phrases")
        ),
    )
    - {"--word", "--a", "--b", "--c"},
    "docs/tables.py": {"--take", "--check", "--machine"},
    "toyworld": {"--split", "--seed", "--first", "--count", "--out"},
    "bench": {"--repetitions", "--folder"},
    "tour": {"--resume"},
    "venv": set(),
    "pytest": set(),
    "pip": {"-c", "-e"},
}


def test_tables_are_those_of_the_results(capsys) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("paper", PAPERS)
def test_every_table_has_its_place(paper: str) -> None:
    places = re.findall(r"<!-- results:([\w-]+) -->", read(f"{paper}/README.md"))
    assert sorted(places) == sorted(tables.PAPERS[paper].BLOCKS)


def test_every_promise_is_told() -> None:
    (block,) = re.findall(r"<!-- results:promises -->(.*?)<!-- end -->", read("vqa/README.md"), flags=re.DOTALL)
    rows = {cells[0]: cells[1] for line in block.strip().splitlines()[2:] if (cells := line.strip("| ").split(" | "))}
    told = {name: float(promised) for name, promised in rows.items()}
    expected = {f"{data}, {split}: {kind}": 100 * promised for (data, split, kind), promised in PROMISES.items()}
    assert told.keys() == expected.keys()
    for name, promised in expected.items():
        assert told[name] == pytest.approx(promised, abs=1e-9), name


def test_promises_are_kept_in_the_results() -> None:
    results = json.loads(read("vqa/report/results.json"))
    for (data, split, kind), promised in PROMISES.items():
        if data in results:
            assert results[data]["accuracy"][split][kind] >= promised, (data, split, kind)


def test_hearing_keeps_its_promises_and_the_musts_of_speed_are_met_in_the_results() -> None:
    results = json.loads(read("stft/report/results.json"))
    for (_, split, name), promised in HEARD.items():
        assert results["hearing"]["accuracy"][split][name] >= promised, (split, name)
    for name, row in results["speed"]["rows"].items():
        must, _ = row["targets"]
        assert must is None or row["ratio"]["median"] <= must, name


def test_the_analogies_and_the_musts_of_word2vec_are_met_in_the_results() -> None:
    results = json.loads(read("word2vec/report/results.json"))
    for (data, pairs, relation), promised in ANALOGIES.items():
        assert results[data]["pairs"][pairs]["reached"][relation] >= promised, (pairs, relation)
    for name, text in results["bench"]["texts"].items():
        assert text["ratio"]["median"] >= 1.5, name
        for kind, row in text["quality"].items():
            ours, peer = row["ours"], row["gensim"]
            error = (ours["error"] ** 2 + peer["error"] ** 2) ** 0.5
            assert ours["mean"] >= peer["mean"] - 2 * error, (name, kind)
    assert results["memory"]["beside"] < 1e6 * results["memory"]["must"]


def test_the_windows_are_as_good_as_the_readme_says() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d) \| −([\d.]+) \| ([\d.]+) \|$", read("stft/README.md"), flags=re.MULTILINE)
    assert [row[0].lower() for row in rows] == list(WINDOWS)
    for name, width, level, loss in rows:
        window = WINDOWS[name.lower()](4096)
        assert main_lobe_width(window) == pytest.approx(float(width), abs=0.04)
        assert side_lobe_level(window) == pytest.approx(-float(level), abs=0.051)
        assert scalloping_loss(window) == pytest.approx(float(loss), abs=0.0051)


def test_the_question_alone_is_at_chance_in_the_results() -> None:
    """The toy world gives nothing away: no kind is 3 points off what guessing reaches."""
    entry = json.loads(read("vqa/report/results.json"))["ablations"]
    for kind, chance in entry["baselines"]["chance"].items():
        assert abs(entry["accuracy"]["product/question"][kind] - chance) <= 0.03, kind


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_and_picture_leads_somewhere(name: str) -> None:
    absent = {
        picture
        for paper, module in tables.PAPERS.items()
        for entry, pictures in module.TAKEN.items()
        if entry not in json.loads(read(f"{paper}/report/results.json"))
        for picture in pictures.values()
    }
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", read(name)) if not target.startswith("http")]
    for target in targets:
        path = (ROOT / name).parent / target
        assert path.exists() or path.name in absent, f"{name}: {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    for span in code_spans(read(name)):
        if not re.fullmatch(r"[\w./-]+(\.(py|json|md|toml|txt)|/)", span) or {*span.split("/")} & {*PLANNED, *MADE}:
            continue
        places = [ROOT / span, (ROOT / name).parent / span, ROOT / "vqa" / span]
        in_a_run = span in ("results.json",)
        assert in_a_run or any(place.exists() for place in places), f"{name}: {span}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    for file, test in re.findall(r"`((?:[\w]+/)*test_\w+\.py)::(test_\w+)`", read(name)):
        path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / Path(name).parent / file
        assert path.is_file(), f"{name}: {file}"
        assert re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE), f"{name}: {test}"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_equation_leads_to_its_line(paper: str) -> None:
    table = read(f"{paper}/README.md").split("## 5.")[1].split("## 6.")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 8
    for equation, line, test in rows:
        file, place, *quoted = code_spans(line)
        source = read(f"{paper}/{file}")
        assert re.search(rf"^(def|class) {place}\b", source, flags=re.MULTILINE), (equation, place)
        body = re.split(rf"^(?:def|class) {place}\b", source, flags=re.MULTILINE)[1]
        body = re.split(r"^(?:def|class|@)", body, flags=re.MULTILINE)[0]
        assert all(code in body for code in quoted), (equation, quoted)
        assert "::test_" in test, equation


@pytest.mark.parametrize("paper", PAPERS)
def test_exercises_are_functions(paper: str) -> None:
    section = read(f"{paper}/README.md").split("## 9.")[1]
    source = "".join(read(f"{paper}/{name}.py") for name in tables.PAPERS[paper].CORE)
    names = [span for span in code_spans(section) if re.fullmatch(r"[a-z_\d]+", span)]
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


@pytest.mark.parametrize("paper", PAPERS)
def test_the_core_is_within_its_budget_as_the_table_counts_it(paper: str) -> None:
    sources = [read(f"{paper}/{name}.py") for name in tables.PAPERS[paper].CORE]
    assert [parts.lines_of_code(source) for source in sources] == [lines_of_code(source) for source in sources]
    assert sum(map(lines_of_code, sources)) <= 450


def test_the_core_of_stft_stands_alone() -> None:
    """It knows torch, jaxtyping and Python's own library, and no other part of this project."""
    allowed = {"torch", "jaxtyping", "stft", "math", "collections", "itertools", "typing"}
    for name in tables.PAPERS["stft"].CORE:
        modules = re.findall(r"^(?:from|import) ([\w.]+)", read(f"stft/{name}.py"), flags=re.MULTILINE)
        assert {module.split(".")[0] for module in modules} <= allowed, name
        assert not any(".extensions" in module for module in modules), name


def run_folder(folder: Path, seed: int, reached: float, data: str = "toy") -> Path:
    config = json.loads(json.dumps({"data": data, **CONFIGS[data].__dict__, "seed": seed, "steps": 7}))
    config.pop("data")
    splits = {"test": {"chance": {"all": 0.25}, "ceiling": {"all": 1.0}, "reached": {"all": reached}}}
    content = {"data": data, "config": config, "steps": 7, "seconds": 3.0 + seed, "threads": 2, "splits": splits}
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_run_is_taken_over_with_its_command(tmp_path) -> None:
    results = vqa_tables.take([run_folder(tmp_path / "a", 3, 0.5)], "two cores, CPU", {})
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
    assert "| all | 25.00 | 100.00 | 50.00 |" in vqa_tables.judged("toy", results)


def test_several_seeds_give_the_first_with_their_spread(tmp_path) -> None:
    folders = [run_folder(tmp_path / str(seed), seed, reached) for seed, reached in ((0, 0.75), (1, 1.0), (2, 0.5))]
    results = vqa_tables.take(folders, "two cores, CPU", {})
    assert results["toy"]["accuracy"] == {"test": {"all": 0.75}}
    assert results["toy"]["spread"] == {"test": {"all": [0.5, 1.0]}}
    table = vqa_tables.judged("toy", results)
    assert "75.00 (50.00 to 100.00)" in table
    assert "`python -m vqa --steps 7`: 7 steps in 3 s of training (two cores, CPU; seed 0)" in table
    assert "In brackets: lowest to highest with the seeds 0, 1, 2." in table


def test_a_comparison_is_taken_over(tmp_path) -> None:
    folder, variants = tmp_path / "compare", {}
    for k, name in enumerate(vqa_tables.VARIANTS):
        run_folder(folder / name.replace(" ", "-"), 0, 0.1 * k)
        variants[name] = {"chance": {"all": 0.25}, "reached": {"all": 0.1 * k}}
    (folder / "results.json").write_text(json.dumps({"data": "toy", "split": "test", "variants": variants}))
    results = vqa_tables.take([folder], "two cores, CPU", {})
    entry = results["ablations"]
    assert list(entry["accuracy"]) == [
        "product/both", "sum/both", "concat/both", "product/question", "product/image",
    ]  # fmt: skip
    assert (entry["steps"], entry["seconds"]) == (5 * 7, 15.0)
    assert entry["command"] == "python -m vqa compare --steps 7"
    assert "| all | 25.00 | 0.00 | 10.00 | 20.00 | 30.00 | 40.00 |" in vqa_tables.ablations(results)


def test_what_cannot_be_taken_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"nowhere/results.json: there is no such file"):
        tables.paper_of(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="data must be toy or easy-vqa, got 'vqa-v2'"):
        vqa_tables.take([run_folder(tmp_path / "c", 0, 0.5, "vqa-v2")], "", {})
    other = run_folder(tmp_path / "b", 1, 0.5)
    content = json.loads((other / "results.json").read_text())
    content["config"]["rate"] = 1.0
    (other / "results.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="runs of toy must have one configuration"):
        vqa_tables.take([run_folder(tmp_path / "a", 0, 0.5), other], "", {})


def test_a_block_is_filled_or_left_open() -> None:
    text = "a\n<!-- results:toy -->\nold\n<!-- end -->\nb\n"
    expected = "a\n<!-- results:toy -->\n\nnot measured yet\n\n<!-- end -->\nb\n"
    assert tables.filled(text, vqa_tables, {}) == expected
    with pytest.raises(ValueError, match=r"results: must be one of toy, .*, got 'tory'"):
        tables.filled(text.replace("toy", "tory"), vqa_tables, {})


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A root with papers whose READMEs have one table each, and no results."""
    for paper, block in (("vqa", "toy"), ("stft", "inversion"), ("word2vec", "memory")):
        (tmp_path / paper / "report" / "pictures").mkdir(parents=True)
        (tmp_path / paper / "README.md").write_text(f"<!-- results:{block} -->\n<!-- end -->\n")
        (tmp_path / paper / "report" / "results.json").write_text("{}")
    return tmp_path


def test_take_writes_results_pictures_and_tables(elsewhere) -> None:
    run, readme = run_folder(elsewhere / "run", 0, 0.5), elsewhere / "vqa" / "README.md"
    for picture in ("answers.png", "training.png"):
        (run / picture).write_bytes(picture.encode())
    assert tables.main(["--check"], elsewhere) == 1
    assert readme.read_text() == "<!-- results:toy -->\n<!-- end -->\n"
    assert tables.main(["--take", str(run), "--machine", "a laptop"], elsewhere) == 0
    assert json.loads((elsewhere / "vqa" / "report" / "results.json").read_text())["toy"]["machine"] == "a laptop"
    assert "| all | 25.00 | 100.00 | 50.00 |" in readme.read_text()
    assert tables.main(["--check"], elsewhere) == 0
    other = run_folder(elsewhere / "other", 1, 0.75)
    for picture in ("answers.png", "training.png"):
        (other / picture).write_bytes(b"of another seed")
    assert tables.main(["--take", str(run), str(other)], elsewhere) == 0
    assert "50.00 (50.00 to 75.00)" in readme.read_text(), "numbers and pictures are the first run's"
    pictures = elsewhere / "vqa" / "report" / "pictures"
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == {
        "answers.png": b"answers.png", "training.png": b"training.png",
    }  # fmt: skip


def test_runs_of_several_papers_are_taken_to_their_own_tables(elsewhere) -> None:
    folder = elsewhere / "measure"
    folder.mkdir()
    decibels = {"random phases": [-5.04, -4, -3], "with momentum": [-40, -30, -20]}
    content = {"paper": "stft", "what": "inversion", "command": "c", "files": 7, "decibels": decibels}
    (folder / "results.json").write_text(json.dumps(content))
    run = run_folder(elsewhere / "run", 0, 0.5)
    for picture in ("answers.png", "training.png"):
        (run / picture).write_bytes(b"")
    assert tables.main(["--take", str(folder), str(run), "--machine", "a laptop"], elsewhere) == 0
    told = (elsewhere / "stft" / "README.md").read_text()
    assert "| random phases | −5.0 | −4.0 | −3.0 |" in told
    assert "`c`: 7 files (a laptop)." in told
    assert "50.00" in (elsewhere / "vqa" / "README.md").read_text()
    assert json.loads((elsewhere / "stft" / "report" / "results.json").read_text()).keys() == {"inversion"}


def test_tables_of_stft_by_hand() -> None:
    ratio = {"low": 0.4, "median": 0.5, "high": 0.75}
    rows = {"x": {"ratio": ratio, "milliseconds": {"median": 7.25}, "targets": [1.05, None]}}
    speed = {"command": "c", "repetitions": 3, "machine": "m", "rows": rows}
    told = stft_tables.speed({"speed": speed})
    assert "| x | 0.50 (0.40 to 0.75) | 7.2 | 1.05 |  |" in told
    assert told.endswith("`c`: 3 repetitions (m).")
    accuracy = {
        split: dict.fromkeys(("colour", "shape", "size", "place"), 0.995) for split in ("test", "compositional")
    }
    chance = {"colour": 0.125, "shape": 0.25, "size": 0.5, "place": 0.02}
    entry = {"command": "c", "sounds": 9, "seconds": 3.6, "chance": chance, "accuracy": accuracy}
    told = stft_tables.hearing({"hearing": entry})
    assert "| test: colour | 12.50 | 99.00 | 99.50 |" in told
    assert told.endswith("`c`: 9 lone objects a split, 4 s.")


def test_the_first_losses_of_word2vec_in_numbers() -> None:
    words, negatives = len(toy_vocabulary(0)), WordConfig().negatives
    told = " ".join(read("word2vec/README.md").split())
    assert f"V = {words} words: ln {words} ≈ {math.log(words):.2f}" in told
    assert f"with k = {negatives} that is {(negatives + 1) * math.log(2):.2f}" in told


def test_the_engine_is_as_large_as_the_readme_says() -> None:
    band = ROW + 2 * TextConfig().window
    told = " ".join(read("word2vec/README.md").split())
    assert f"compares {ROW} consecutive words at once with the {band} words of their band and {NOISE} words of" in told
    assert f"{band + NOISE} vectors are loaded once and used {ROW} times" in told
    centre = 2 * TextConfig().window * (1 + TextConfig().negatives)  # rates of a word with all its neighbours
    assert BOUND / centre == pytest.approx(0.025), "what such a word is held to"


def test_tables_of_word2vec_by_hand() -> None:
    cells = {name: {"mean": 0.25, "error": 0.0125} for name in ("ours", "gensim")}
    text = {
        "words": 12_000, "vocabulary": 345, "mode": "corpus_file", "ratio": {"low": 2.0, "median": 2.5, "high": 3.0},
        "speed": {"ours": {"median": 1_000_000.4}, "gensim": {"median": 400_000.0}}, "quality": {"SimLex-999": cells},
    }  # fmt: skip
    entry = {"command": "c", "repetitions": 5, "machine": "m", "texts": {"english": text}}
    told = word2vec_tables.bench({"bench": entry})
    assert "| words per second, training only | 1,000,000 | 400,000 |" in told
    assert "| SimLex-999 | 0.2500 ± 0.0125 | 0.2500 ± 0.0125 |" in told
    assert "Ours reads 2.50 (2.00 to 3.00) times as many words per second as gensim (corpus_file)." in told
    rows = [{"bound": 1.5, "scores": {"a": 0.5}}, {"bound": "none", "scores": {"a": None}}]
    told = word2vec_tables.bound({"bound": {"command": "c", "machine": "m", "rows": rows, "scaled": {"0.05": 0.8}}})
    assert "the bound scales in W 80% at the rate 0.05." in told
    assert "| 1.5 | 0.5000 |\n| none | not finite |" in told
    sizes = {"bytes": 1e9, "peak": 1.4e9, "tables": 8e8, "beside": 6e8}
    told = word2vec_tables.memory(
        {"memory": {"command": "c", "machine": "m", "words": 9000, "vocabulary": 80, "must": 1000, **sizes}}
    )
    assert "| the process, at most | 1,400 |" in told
    assert "must stay below 1,000 MB" in told
