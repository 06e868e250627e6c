"""``python -m clip_mini`` from end to end, on few scenes and on a small folder: train, stop, resume, judge, search."""

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import fields, replace
from io import StringIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from clip_mini.__main__ import main
from clip_mini.commands import search, tag, task
from clip_mini.commands.task import ClipTask, open_model
from clip_mini.datasets import shards
from clip_mini.evaluate import ACCURACY, IMAGE_TO_TEXT, KS, PROMISES, SEEN, TEXT_TO_IMAGE, UNSEEN, embed
from clip_mini.extensions import parallel
from clip_mini.report.chapter import SHOWN
from clip_mini.train import CONFIGS, Config
from lab import training
from lab.distributed import Processes
from lab.seeding import seed_everything
from tests.clip_mini.plumbing.captioned import write_folder
from tests.clip_mini.tiny import CONFIG, FLAGS, make_small
from tests.pictures import blank_figures
from tests.refusals import check_refused
from tests.runs import files_of, flags, stop_in

TINY = ["--device", "cpu", *FLAGS]
FOLDER = ["--data", "folder", "--root", "data", *TINY, "--context", "12", "--common", "6"]
RUN = Path("runs/clip_mini/toy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with captioned images and two trained models, on the toy world and on those; and what was printed.
    The figures of the first are true ones."""
    folder = tmp_path_factory.mktemp("work")
    write_folder(folder / "data", 40)
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch, folder)
        for arguments in (TINY, FOLDER):
            with redirect_stdout(StringIO()) as out:
                main(arguments)
            printed.append(out.getvalue())
            blank_figures(patch)
    return folder, printed


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    """The folder as the fixture above left it; a test must leave it so. Figures are blank from now on."""
    make_small(monkeypatch, trained[0])
    blank_figures(monkeypatch)
    return trained[0]


def test_training_judges_and_keeps_everything_in_the_run(work, trained) -> None:
    names = {"best.safetensors", "run.json", "words.txt", "results.json", *(f"{name}.png" for name in SHOWN)}
    assert names <= {path.name for path in RUN.iterdir()}
    for name in ("retrieval.png", "training.png"):
        Image.open(RUN / name).verify()
    results = json.loads((RUN / "results.json").read_text(encoding="utf-8"))
    measures = {f"{direction} R@{k}" for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE) for k in KS}
    assert list(results["splits"]) == ["test", "compositional", SEEN, UNSEEN]
    for split, columns in results["splits"].items():
        assert list(columns) == ["chance", "colours", "shapes", "reached"]
        assert all(set(row) == ({ACCURACY} if split in (SEEN, UNSEEN) else measures) for row in columns.values())
        assert all(0 <= value <= 1 for row in columns.values() for value in row.values())
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3]
    assert [json.loads(line)["step"] for line in (RUN / "metrics.jsonl").read_text().splitlines()] == [0, 1, 2]


def test_the_table_has_what_was_measured_and_what_is_promised(work, trained) -> None:
    head, *lines = trained[1][0].splitlines()
    splits = json.loads((RUN / "results.json").read_text(encoding="utf-8"))["splits"]
    assert head.split() == ["toy", "chance", "colours", "shapes", "reached", "promised"]
    for split, columns in splits.items():
        for measure in columns["reached"]:
            (line,) = (line for line in lines if line.startswith(f"{split}: {measure} "))
            cells = line.removeprefix(f"{split}: {measure}").split()
            assert cells[:4] == [f"{100 * columns[name][measure]:.2f}%" for name in columns]
    (line,) = (line for line in lines if line.startswith("test: image→text R@1 "))
    assert line.endswith(f"{100 * PROMISES['toy', 'test', f'{IMAGE_TO_TEXT} R@1']:.2f}%")
    assert "promised" not in trained[1][1], "nothing is promised for the reader's own folder"


def test_judging_again_gives_the_same(copy, capsys, monkeypatch) -> None:
    monkeypatch.setattr(task, "train", lambda *arguments: pytest.fail("a step was taken"))
    for run in ("toy", "folder"):
        path = RUN.with_name(run) / "results.json"
        results = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        main(["judge", "--run", run, "--device", "cpu"])
        assert json.loads(path.read_text(encoding="utf-8")) == results
        reached = results["splits"]["test"]["reached"][f"{IMAGE_TO_TEXT} R@1"]
        assert f"{100 * reached:.2f}%" in capsys.readouterr().out


def test_a_resumed_run_ends_as_one_that_was_never_stopped(copy, capsys) -> None:
    """Two trainings give the same bits; so does one that Ctrl-C stops and --resume completes, with its results."""
    whole, results = files_of(RUN, "words.txt"), json.loads((RUN / "results.json").read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        stop_in(patch, task, 1)
        with pytest.raises(SystemExit) as stopped:
            main(TINY)
    assert stopped.value.code == 130
    resume = f"stopped after 2 of 3 steps: go on with python -m clip_mini {' '.join(TINY)} --resume"
    assert resume in capsys.readouterr().err
    assert files_of(RUN, "words.txt") == whole, "the finished run stays until the next one ends"
    check_refused(main, TINY, "holds an unfinished run: go on with python -m clip_mini", capsys)
    main([*TINY, "--resume"])
    assert files_of(RUN, "words.txt") == whole
    resumed = json.loads((RUN / "results.json").read_text(encoding="utf-8"))
    assert resumed | {"seconds": 0} == results | {"seconds": 0}


def test_a_run_has_a_name_and_only_the_same_configuration_replaces_it(copy, capsys) -> None:
    another, before = [*TINY, "--seed", "1", "--steps", "1"], files_of(RUN, "words.txt")
    refused = "toy holds a finished run of another configuration (seed was 0 and is 1 now; steps was 3 and is 1 now)"
    check_refused(main, another, refused, capsys)
    main([*another, "--run", "trial"])
    assert files_of(RUN, "words.txt") == before
    assert json.loads((RUN.with_name("trial") / "run.json").read_text())["config"]["seed"] == 1


def test_a_loss_that_is_not_finite_ends_the_run(copy, capsys, monkeypatch) -> None:
    original = ClipTask.build

    def broken(self: ClipTask) -> torch.nn.Module:
        model = original(self)
        with torch.no_grad():
            model.text_projection.weight[0, 0] = torch.nan
        return model

    monkeypatch.setattr(ClipTask, "build", broken)
    with pytest.raises(SystemExit) as stopped:
        main([*TINY, "--run", "nan"])
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert error.count("\n") == 1
    assert (
        "error: loss must be finite, got nan in step 0: look for NaN in the data, or begin anew with a lower" in error
    )
    assert not RUN.with_name("nan").exists()


CHANGES = {  # of every field of a configuration: another value
    "steps": 5, "pairs": 6, "language": "korean", "image_encoder": "vit", "image_size": 24, "background": 0.5,
    "channels": (4, 4, 8), "patch": 4, "width": 16, "layers": 2, "heads": 4, "context": 7, "text_width": 16,
    "text_layers": 2, "text_heads": 4, "common": 5, "learning_rate": 0.02, "weight_decay": 0.3, "warmup": 3,
    "clip": 0.5, "seed": 7,
}  # fmt: skip


def traces(made: ClipTask) -> list[torch.Tensor]:
    """All that a configuration decides: batches, weights, vectors, and what the optimizer does in each step."""
    seed_everything(made.config.seed)
    model = made.build()
    optimizer, scheduler = made.optimizers(model).values()
    batch = made.source.batch_at(1)
    images, texts = embed(model, made.source.validation())
    weights = [weight.clone() for weight in model.state_dict().values()]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    rates = []
    for _ in range(made.steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    clipped = torch.stack([parameter.grad.norm() for parameter in model.parameters()])
    return [*batch, *weights, images, texts, torch.tensor(rates), torch.tensor(decays), clipped]


def task_of(monkeypatch, **values) -> ClipTask:
    """The task that the command line makes of these values, beside those of ``CONFIG``."""
    made: list[ClipTask] = []

    def keep(task: ClipTask, *arguments: object) -> None:
        made.append(task)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", keep)
    with pytest.raises(SystemExit):
        main([*TINY, "--run", "new", *flags(**values)])
    assert made[0].config == replace(CONFIG, **values)
    return made[0]


@pytest.mark.parametrize("field", [field.name for field in fields(Config)])
def test_every_option_reaches_what_it_is_for(work, monkeypatch, field: str) -> None:
    """With another value, something else is trained. It fails for an option that is replaced by a constant."""
    base = {"image_encoder": "vit"} if field in ("patch", "width", "layers") else {}
    one = traces(task_of(monkeypatch, **base))
    other = traces(task_of(monkeypatch, **base, **{field: CHANGES[field]}))
    same = len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )
    assert not same, f"--{field.replace('_', '-')} {CHANGES[field]} changes nothing"


def test_the_data_set_gives_the_defaults(work, monkeypatch) -> None:
    chosen: list[tuple] = []

    def keep(paper: str, run: str, config: Config, *arguments: object) -> None:
        chosen.append((run, config))
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "check_start", keep)
    lines = (
        [], ["--data", "folder", "--root", "data"], ["--config", "toy-vit", "--steps", "7"],
        ["--data", "shards", "--path", "x"],
    )  # fmt: skip
    for arguments in lines:
        with pytest.raises(SystemExit):
            main(arguments)
    assert chosen == [
        ("toy", CONFIGS["toy"]), ("folder", CONFIGS["folder"]), ("toy-vit", replace(CONFIGS["toy-vit"], steps=7)),
        ("shards", CONFIGS["shards"]),
    ]  # fmt: skip


def test_texts_that_are_cut_are_counted_before_the_first_step(copy, capsys) -> None:
    main([*TINY, "--context", "6", "--steps", "1", "--run", "cut"])
    error = capsys.readouterr().err
    assert "of the first 12 training captions are cut to --context 6 token ids" in error
    main([*FOLDER, "--context", "8", "--steps", "1", "--run", "cut-folder"])
    assert "training captions are cut to --context 8 token ids" in capsys.readouterr().err


def test_a_corrupt_image_is_named_and_left_out(copy, capsys) -> None:
    (copy / "data" / "images" / "7.png").write_text("no image")
    main([*FOLDER, "--run", "corrupt"])
    assert "left out: data/images/7.png: not an image, or damaged" in capsys.readouterr().err


def test_a_model_of_frozen_features_searches_a_folder(copy, capsys) -> None:
    """The cosines are those of the model that was trained, on the features of the images in the folder."""
    names = [f"{k}.png" for k in (3, 17, 30)]
    for name in names:
        (copy / "mine").mkdir(exist_ok=True)
        shutil.copy(copy / "data" / "images" / name, copy / "mine" / name)
    words = "a picture of red and green"
    main(["search", words, "--folder", "mine", "--run", "folder", "--top", "3", "--device", "cpu"])
    out = capsys.readouterr().out
    _, data, config, tokenizer, model = open_model("folder", "")
    assert (data["data"], model.training) == ("folder", False)
    source = ClipTask("folder", config, copy / "data").source
    with torch.no_grad():
        images = model.encode_image(source.images(names))
        text = model.encode_text(torch.tensor([source.with_ends(tokenizer.ids(words))]))
    cosines, order = (text @ images.T)[0].sort(descending=True)
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[2] for row in rows] == [names[k] for k in order]
    assert [float(row[1]) for row in rows] == pytest.approx(cosines.tolist(), abs=6e-4)
    main(["search", "--image", "mine/17.png", "--folder", "mine", "--run", "folder", "--device", "cpu"])
    first = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("   1"))
    assert first.split() == ["1", "1.000", "17.png"], "an image is nearest to itself"
    Image.open(RUN.with_name("folder") / "search.png").verify()


def test_mean_and_spread_of_the_training_images_are_opened_with_the_weights(work) -> None:
    _, _, config, _, model = open_model("folder", "")
    made = ClipTask("folder", config, work / "data").source.image_encoder()
    assert torch.equal(model.image_encoder.mean, made.mean)
    assert torch.equal(model.image_encoder.spread, made.spread)
    assert model.image_encoder.spread.unique().numel() > 1


def test_search_and_tag_open_the_run_that_is_named(work, capsys, monkeypatch) -> None:
    monkeypatch.setattr(search, "draw_grid", lambda *arguments: None)
    main(["search", "a red circle", "--scenes", "9", "--device", "cpu"])
    assert capsys.readouterr().out.splitlines()[-1] == str(RUN / "search.png")
    monkeypatch.setattr(tag, "warn_of_unlike", lambda *arguments: None)  # it would train the detector
    main(["tag", "data/images/3.png", "--device", "cpu"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["colour", "shape", "size"]


def test_packed_and_trained_on_as_shards(copy, capsys) -> None:
    main(["pack", "data", "--out", "packed", "--images", "15"])
    assert "3 shards, to be read with --data shards --path 'packed/*.tar'" in capsys.readouterr().out
    main(["--data", "shards", "--path", "packed/*.tar", *TINY, "--steps", "1"])
    assert (RUN.with_name("shards") / "retrieval.png").exists()
    main(["judge", "--run", "shards", "--device", "cpu"])


def test_several_processes_read_their_own_part_of_shards(copy, monkeypatch) -> None:
    """And a whole batch of any other data, of which ``train_in_parallel`` takes their share."""
    main(["pack", "data", "--out", "packed"])
    taken: list[tuple[int, Callable]] = []

    def keep(model, optimizer, scheduler, batch_at, steps, log, share=parallel.distributed.share) -> None:
        taken.append((len(batch_at(0).images), share))

    monkeypatch.setattr(task, "train_in_parallel", keep)
    for module in (task, shards):
        monkeypatch.setattr(module, "processes", lambda: Processes(1, 2))
    config = replace(CONFIG, context=12)
    for made in (ClipTask("shards", config, path="packed/*.tar"), ClipTask("toy", config)):
        model = made.build()
        made.train(model, made.optimizers(model), torch.device("cpu"), range(1), lambda step, **numbers: None)
    (part, own), (whole, share) = taken
    assert (part, whole) == (CONFIG.pairs // 2, CONFIG.pairs)
    assert own("a part") == "a part", "it is not cut again"
    assert share is parallel.distributed.share
