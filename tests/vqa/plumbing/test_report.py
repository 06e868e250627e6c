"""VQA's promises and numbers in its texts are those of its results; its tables by hand."""

import json
import re
from pathlib import Path

import pytest

import vqa
from toyworld.question_text import ANSWERS
from vqa.evaluate import PROMISES
from vqa.report import tables
from vqa.train import CONFIGS

ROOM = Path(vqa.__file__).parent
CHANCE = dict.fromkeys(("colour", "shape", "count", "existence", "comparison", "relation", "all"), 0.2)
README = (ROOM / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOM / "report" / "results.json").read_text(encoding="utf-8"))


def test_every_promise_is_told() -> None:
    (block,) = re.findall(r"<!-- results:promises -->(.*?)<!-- end -->", README, flags=re.DOTALL)
    rows = {cells[0]: cells[1] for line in block.strip().splitlines()[2:] if (cells := line.strip("| ").split(" | "))}
    told = {name: float(promised) for name, promised in rows.items()}
    expected = {f"{data}, {split}: {kind}": 100 * promised for (data, split, kind), promised in PROMISES.items()}
    assert told == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("data", "split", "kind"), PROMISES)
def test_promises_are_kept_in_the_results(data: str, split: str, kind: str) -> None:
    for name in (data, f"{data}-korean"):  # the same ones in Korean
        assert name not in RESULTS or RESULTS[name]["accuracy"][split][kind] >= PROMISES[data, split, kind]


def test_the_question_alone_is_at_chance_in_the_results() -> None:
    """The toy world gives nothing away: no kind is 3 points off what guessing reaches."""
    entry = RESULTS["ablations"]
    for kind, chance in entry["baselines"]["chance"].items():
        assert abs(entry["accuracy"]["product/question"][kind] - chance) <= 0.03, kind


def test_the_first_loss_in_numbers() -> None:
    assert f"N = {len(ANSWERS)}, ln {len(ANSWERS)} ≈ 3.04" in README


def run_folder(folder: Path, seed: int, reached: float, data: str = "toy", language: str = "english") -> Path:
    config = json.loads(json.dumps({"data": data, **CONFIGS[data].__dict__, "seed": seed, "steps": 7}))
    config.pop("data")
    splits = {"test": {"chance": {"all": 0.25}, "ceiling": {"all": 1.0}, "reached": {"all": reached}}}
    content = {"paper": "vqa", "what": data, "config": config, "steps": 7, "seconds": 3.0 + seed}
    content["data"] = {"data": data} | ({"language": language} if data == "toy" else {})
    content |= {"threads": 2, "splits": splits}
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
    assert "| all | 25.00 | 100.00 | 50.00 |" in tables.accuracies("toy", results)


def test_a_korean_run_has_a_table_of_its_own(tmp_path) -> None:
    folders = [run_folder(tmp_path / name, 0, k, language=name) for k, name in ((0.5, "korean"), (0.25, "english"))]
    results = tables.take(folders, "one core, CPU", {})
    assert {name: entry["accuracy"]["test"]["all"] for name, entry in results.items()} == {
        "toy": 0.25,
        "toy-korean": 0.5,
    }
    assert results["toy-korean"]["command"] == "python -m vqa --language korean --steps 7"
    assert "toy-korean, `test` split" in tables.BLOCKS["toy-korean"](results)
    every = {split: dict.fromkeys(CHANCE, 0.5) for split in ("test", "compositional")}
    one = {"accuracy": every, "baselines": {split: {"chance": CHANCE} for split in every}}
    table = tables.promises({"toy": one, "toy-korean": {"accuracy": {s: dict.fromkeys(CHANCE, 0.25) for s in every}}})
    assert "| toy, test: count | 97.00 | 50.00 | 20.00 | 25.00 |" in table


def test_several_seeds_give_the_first_with_their_spread(tmp_path) -> None:
    folders = [run_folder(tmp_path / str(seed), seed, reached) for seed, reached in ((0, 0.75), (1, 1.0), (2, 0.5))]
    results = tables.take(folders, "two cores, CPU", {})
    assert results["toy"]["accuracy"] == {"test": {"all": 0.75}}
    assert results["toy"]["spread"] == {"test": {"all": [0.5, 1.0]}}
    table = tables.accuracies("toy", results)
    assert "75.00 (50.00 to 100.00)" in table
    assert "`python -m vqa --steps 7`: 7 steps in 3 s of training (two cores, CPU; seed 0)" in table
    assert "In brackets: lowest to highest with the seeds 0, 1, 2." in table


def test_a_comparison_is_taken_over(tmp_path) -> None:
    folder, variants = tmp_path / "compare", {}
    for k, name in enumerate(tables.VARIANTS):
        run_folder(folder / name.replace(" ", "-"), 0, 0.1 * k)
        variants[name] = {"chance": {"all": 0.25}, "reached": {"all": 0.1 * k}}
    content = {"paper": "vqa", "what": "comparison", "data": {"data": "toy"}, "split": "test", "variants": variants}
    (folder / "results.json").write_text(json.dumps(content))
    results = tables.take([folder], "two cores, CPU", {})
    entry = results["ablations"]
    assert list(entry["accuracy"]) == [
        "product/both", "sum/both", "concat/both", "product/question", "product/image",
    ]  # fmt: skip
    assert (entry["steps"], entry["seconds"]) == (5 * 7, 15.0)
    assert entry["command"] == "python -m vqa compare --steps 7"
    assert "| all | 25.00 | 0.00 | 10.00 | 20.00 | 30.00 | 40.00 |" in tables.ablations(results)


def test_what_cannot_be_taken_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="data must be toy, toy-korean or easy-vqa, got 'vqa-v2'"):
        tables.take([run_folder(tmp_path / "c", 0, 0.5, "vqa-v2")], "", {})
    other = run_folder(tmp_path / "b", 1, 0.5)
    content = json.loads((other / "results.json").read_text())
    content["config"]["rate"] = 1.0
    (other / "results.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="runs of toy must have one configuration"):
        tables.take([run_folder(tmp_path / "a", 0, 0.5), other], "", {})
