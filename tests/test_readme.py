"""What the texts of all papers claim: files, lines, tests, commands, flags and tables are there; budgets are kept."""

import dataclasses
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import get_type_hints

import pytest
import setuptools
import tables
import tyro

from lab import cli
from lab.papers import PAPERS, part
from lab.tables import ROOT, lines_of_code
from workbook.mutants import Mutants

ROOMS = ("detector", *PAPERS)  # folders with a README of their own
REPORTS = tuple(
    path.relative_to(ROOT).as_posix()
    for paper in (*ROOMS, "workbook")
    for path in (ROOT / paper / "report").glob("*.md")
)
READMES = tuple(f"{room}/README.md" for room in ROOMS)
TEXTS = ("README.md", "CONTRIBUTING.md", "docs/measuring.md", "workbook/README.md", *READMES, *REPORTS)
MADE = ("runs", "my_work", "decode.py", "PAPER")  # what a command makes, or what is spoken of in general
NOT_CORE = ("__init__", "__main__", "commands", "evaluate", "figures")
BUDGET, WORDS = 350, 2000
TOOLS = {  # flags of what is not ours
    "pytest": {"--jaxtyping-packages", "--hypothesis-profile", "-n", "-x", "-k"},
    "pip": {"-c", "-e", "--index-url"},
    "venv": set(),
}


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


def core(paper: str) -> dict[str, str]:
    """The core files of a paper, by name."""
    return {path.stem: path.read_text() for path in (ROOT / paper).glob("*.py") if path.stem not in NOT_CORE}


def flags(verb: type) -> set[str]:
    """The options of a verb, those of a nested dataclass included; positional arguments are none.

    Tyro may have another name for a field, such as ``from`` for ``from_``.
    """
    found, positional = set(), tyro.conf.Positional[int].__metadata__[0]
    hints = get_type_hints(verb, include_extras=True)
    for field in dataclasses.fields(verb):
        if dataclasses.is_dataclass(field.default_factory):
            found |= flags(field.default_factory)
        elif positional not in (notes := getattr(hints[field.name], "__metadata__", ())):
            names = [name for note in notes if isinstance(name := getattr(note, "name", None), str)]
            found.add(f"--{(names or [field.name.replace('_', '-')])[0]}")
    return found


def flags_of(words: list[str]) -> set[str]:
    """What may be given to ``python -m NAME [VERB]``, or to the script: the flags of the verb that is named."""
    target, *rest = words[1:] if words[0] == "-m" else words
    if target in TOOLS:
        return TOOLS[target]
    if target == "workbook.mutants":
        return flags(Mutants)
    module = tables if target == "docs/tables.py" else part(target, "commands")
    assert module is not None, f"python {shlex.join(words)}: there is no such command"
    verbs = {verb.__name__.lower(): verb for verb in getattr(module, "VERBS", (getattr(module, "Tables", None),))}
    default = next(iter(verbs.values())) if len(verbs) == 1 else module.DEFAULT
    if rest and rest[0].isupper():  # any verb
        return set().union(*map(flags, verbs.values()))
    verb = verbs.get(rest[0] if rest else "", default)
    assert verb is not None, f"python {shlex.join(words)}: the verb must be one of {', '.join(verbs)}"
    return flags(verb)


def test_the_core_is_within_its_budget() -> None:
    for paper in PAPERS:
        counts = {name: lines_of_code(source) for name, source in core(paper).items()}
        assert sum(counts.values()) <= BUDGET, f"{paper}: {counts}"
        assert set(part(paper, "report.tables").CORE) == set(counts), f"{paper}: the README's table has other files"
    assert lines_of_code(core("vqa")["model"]) <= 130


@pytest.mark.parametrize("paper", ROOMS)
def test_the_core_stands_alone(paper: str) -> None:
    """It imports torch, numpy, jaxtyping, ranges and itself; data.py also the toy world and the detector."""
    for name, source in core(paper).items():
        modules = re.findall(r"^ *(?:from|import) ([\w.]+)", re.sub(r'""".*?"""', "", source, flags=re.DOTALL), re.M)
        allowed = {"torch", "numpy", "jaxtyping", "annotated_types", paper, *sys.stdlib_module_names}
        allowed |= {"toyworld", "detector"} if name == "data" else set()
        assert {module.split(".")[0] for module in modules} <= allowed, f"{paper}/{name}.py"
        rooms = [module for module in modules if re.match(rf"{paper}\.(extensions|datasets|commands|report)", module)]
        assert rooms == [], f"{paper}/{name}.py"


@pytest.mark.parametrize("name", READMES)
def test_a_readme_has_at_most_two_thousand_words(name: str) -> None:
    assert len(read(name).split()) <= WORDS


@pytest.mark.parametrize("paper", PAPERS)
def test_the_library_example_runs(paper: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = re.search(r"```python\n(.*?)```", read(f"{paper}/README.md"), flags=re.DOTALL).group(1)
    with redirect_stdout(io.StringIO()):
        exec(compile(example, f"{paper}/README.md", "exec"), {})


def test_tables_are_those_of_the_results(capsys) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("paper", tables.PAPERS)
def test_every_table_has_its_place(paper: str) -> None:
    texts = [read(name) for name in TEXTS if name.startswith(f"{paper}/")]
    places = [name for text in texts for name in re.findall(r"<!-- results:([\w-]+) -->", text)]
    assert sorted(places) == sorted(part(paper, "report.tables").BLOCKS)


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_and_image_leads_somewhere(name: str) -> None:
    absent = set()  # pictures of what was not measured yet
    for room, module in tables.PAPERS.items():
        results = tables.read_results(ROOT / room)
        absent |= {image for entry, images in module.TAKEN.items() if entry not in results for image in images.values()}
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if not target.startswith("http"):
            path = (ROOT / name).parent / target.partition("#")[0]
            assert path.exists() or path.name in absent, f"{name}: {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    for span in code_spans(read(name)):
        if not re.fullmatch(r"[\w./-]+(\.(py|json|md|toml|txt)|/)", span) or {*span.split("/")} & set(MADE):
            continue
        room = ROOT / name.split("/")[0]
        places = [ROOT / span, (ROOT / name).parent / span, room / span, ROOT / "tests" / room.name / span]
        if name.count("/") == 0 or name.startswith("docs/"):  # there, a file may be any paper's
            places += [ROOT / paper / span for paper in PAPERS]
        assert span == "results.json" or any(place.exists() for place in places), f"{name}: {span}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    for file, test in re.findall(r"`((?:[\w]+/)*test_\w+\.py)::(test_\w+)`", read(name)):
        path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / name.split("/")[0] / file
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
    source = "\n".join(core(paper).values())
    names = [span for span in code_spans(section) if re.fullmatch(r"[a-z_\d]+", span)]
    assert len(names) >= 8
    for name in names:
        assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE), name


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_has_its_flags(name: str) -> None:
    spans = [shlex.split(span) for span in code_spans(read(name)) if span.startswith("python ")]
    for words in [*commands(read(name)), *(words[1:] for words in spans)]:
        target = words[1] if words[0] == "-m" else words[0]
        if not (target.isupper() or target.startswith("-")):
            rest = words[2 if words[0] == "-m" else 1 :]
            given = {word.partition("=")[0] for word in rest if re.match("--?[a-z]", word)}
            assert given <= flags_of(words), f"{name}: python {shlex.join(words)}"


def test_flags_in_running_text_exist() -> None:
    rooms = (*ROOMS, "toyworld", "tour", "bench", "workbook")
    verbs = [verb for name in rooms for verb in part(name, "commands").VERBS]
    known = set().union(*map(flags, [*verbs, tables.Tables, Mutants]), *TOOLS.values())
    for name in TEXTS:
        for span in code_spans(read(name)):
            assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", span)) <= known, (name, span)


@pytest.mark.parametrize("name", TEXTS)
def test_make_has_the_targets(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", read("Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (\w+)", read(name), flags=re.MULTILINE)) <= targets


def test_numbers_about_the_toy_world() -> None:
    from toyworld import COLOURS, HELD_OUT, SHAPES, SIZES

    assert f"a shape ({len(SHAPES)}), a colour ({len(COLOURS)}), a size ({len(SIZES)})" in read("README.md")
    listed = re.search(r"neither show nor name: (.*?)\.", read("docs/measuring.md"), flags=re.DOTALL).group(1)
    assert " ".join(listed.split()) == ", ".join(" ".join(pair) for pair in HELD_OUT)


@pytest.mark.parametrize("room", [*ROOMS, "toyworld", "tour", "bench"])
def test_every_option_has_a_help_line(room: str, capsys) -> None:
    """Of every verb: tyro shows a field's comment, so a field needs one."""
    module = part(room, "commands")
    for verb in module.VERBS:
        arguments = ["--help"] if len(module.VERBS) == 1 else [verb.__name__.lower(), "--help"]
        with pytest.raises(SystemExit) as stopped:
            cli.parse(f"python -m {room}", module.VERBS, arguments, module.DEFAULT)
        assert stopped.value.code == 0
        rows = [row.strip("│ ") for row in capsys.readouterr().out.splitlines()]
        for row, below in zip(rows, [*rows[1:], ""], strict=True):
            if re.match(r"--[a-z]", row):
                alone = re.fullmatch(r"--[\w-]+( \S+)?", re.sub(r"\{[^}]*\}", "X", row))
                assert not alone or re.match(r"\w", below), f"{room} {verb.__name__}: {row}"


ADDED = """
import sys
from lab import papers
papers.PAPERS = (*papers.PAPERS, "made_up")
import tables
from bench.commands import VERBS
from made_up.report.chapter import CHAPTERS
from tour.tour import chapters
assert CHAPTERS[0] in chapters(), "tour"
assert "made_up" in tables.PAPERS, "tables"
assert "Made" in [verb.__name__ for verb in VERBS], "bench"
assert [papers.part("made_up", name) for name in ("report.nothing", "nothing")] == [None, None]
"""


def test_a_paper_is_added_by_its_folder_and_one_word(tmp_path) -> None:
    """lab/papers.py is the only list: tour, bench and tables find the parts of a new paper by their names."""
    report = tmp_path / "made_up" / "report"
    report.mkdir(parents=True)
    for folder in (report, report.parent):
        (folder / "__init__.py").touch()
    (report / "chapter.py").write_text("from lab.chapter import Chapter\nCHAPTERS = (Chapter(print),)\n")
    (report / "tables.py").write_text("BLOCKS = TAKEN = {}\n")
    (report / "bench.py").write_text("class Made: ...\nVERBS = (Made,)\n")
    path = ":".join(map(str, (tmp_path, ROOT, ROOT / "docs")))
    done = subprocess.run([sys.executable, "-c", ADDED], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_other_file_lists_the_papers() -> None:
    """Packaging finds every paper with its rooms; the shape checks and everything under the roof read the one list."""
    find = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]["find"]
    packages = setuptools.find_packages(str(ROOT), exclude=find["exclude"])
    assert {*ROOMS, *(f"{paper}.report" for paper in PAPERS)} <= set(packages)
    assert not [name for name in packages if name.split(".")[0] in ("tests", "docs", "runs")]
    files = ["pyproject.toml", "Makefile", "docs/tables.py", "tests/conftest.py", "lab/cli.py", "lab/training.py"]
    files += ["bench/commands.py", *(path.relative_to(ROOT).as_posix() for path in (ROOT / "tour").glob("*.py"))]
    for name in files:
        code = re.sub(r'""".*?"""|#.*|``.*?``', "", read(name), flags=re.DOTALL if name.endswith(".py") else 0)
        named = re.findall(r"\b(?:from|import) (\w+)|[\"'](\w+)[\"']", code)
        listed = sorted({*PAPERS} & {word for pair in named for word in pair})
        assert listed == [], f"{name} names {listed}"


def test_results_are_json_objects_with_commands_that_exist() -> None:
    for paper in PAPERS:
        for name, entry in json.loads(read(f"{paper}/report/results.json")).items():
            words = shlex.split(entry["command"])[1:]
            given = {word for word in words if word.startswith("--")}
            assert given <= flags_of(words), f"{paper}, {name}: {entry['command']}"
