"""Tar shards: the same pairs as the webdataset library reads, pure batches, each process its own part, damage named."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from clip_mini.commands.pack import pack
from clip_mini.datasets import folder, shards
from clip_mini.datasets.shards import ShardsSource, read_shard, read_shards
from clip_mini.datasets.sources import Source
from lab.distributed import Processes
from tests.clip_mini.plumbing.captioned import SMALL, captions_of, colour, number, write_folder
from tests.runs import check_pure
from toyworld.tokenizer import PAD

IMAGES = 90


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data")
    pack(write_folder(root, IMAGES), root / "shards", 25)
    return root / "shards"


def source_of(folder: Path, config=SMALL) -> ShardsSource:
    return ShardsSource(config, f"{folder}/*.tar")


def png(k: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour(k)).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    return path


def many(numbers) -> dict[str, bytes]:
    return {
        f"{k:03d}.{extension}": data
        for k in numbers
        for extension, data in (("png", png(k)), ("txt", captions_of(k)[0].encode()))
    }


def shown(images) -> list[int]:
    return [number(255 * image) for image in images]


def test_it_is_a_source(packed) -> None:
    source = source_of(packed)
    assert isinstance(source, Source)
    assert source.splits == ("test",)
    assert source.image_encoder() is None


def test_the_pairs_are_those_that_webdataset_reads(packed) -> None:
    import webdataset

    stored, captions = read_shards(f"{packed}/*.tar")
    urls = sorted(map(str, packed.glob("*.tar")))
    assert len(urls) == 4
    theirs = {}
    for sample in webdataset.WebDataset(urls, shardshuffle=False):
        theirs[f"{Path(sample['__url__']).name}/{sample['__key__']}"] = sample
    assert stored.keys() == captions.keys() == theirs.keys()
    assert len(stored) == IMAGES
    for name, sample in theirs.items():
        assert stored[name].read() == sample["png"], f"another image's bytes at {name}"
        assert captions[name] == [" ".join(text.split()) for text in json.loads(sample["json"])["captions"]]


def test_a_batch_is_a_function_of_seed_and_step_alone(packed) -> None:
    check_pure(source_of(packed), source_of(packed), source_of(packed, replace(SMALL, seed=4)))


def test_a_batch_holds_pixels_of_different_images_with_their_captions(packed, monkeypatch) -> None:
    monkeypatch.setattr(folder, "REMOVED", 0.0)
    source = source_of(packed, replace(SMALL, pairs=20))
    for step in range(10):
        images, texts = source.batch_at(step)
        assert images.shape == (20, 3, 16, 16)
        numbers = shown(images)
        assert len(set(numbers)) == 20, f"step {step} shows an image twice: its second caption is a false negative"
        for k, row in zip(numbers, texts, strict=True):
            ids = [source.with_ends(source.tokenizer.ids(text)) for text in captions_of(k)]
            assert row[row != PAD].tolist() in ids, f"step {step}: a text is not about its image, {k}"


def test_held_out_images_are_never_trained_on(packed) -> None:
    source = source_of(packed)
    trained = {k for step in range(120) for k in shown(source.batch_at(step).images)}
    validation, test = set(shown(source.validation().images)), set(shown(source.test("test").images))
    assert validation
    assert test
    assert not trained & validation, "validation images are in batches"
    assert not trained & test, "test images are in batches"
    assert not validation & test
    assert trained | validation | test == set(range(IMAGES))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_parts_of_all_processes_are_the_batch(packed, monkeypatch, count: int) -> None:
    """And each process reads no image of another's part."""
    source = source_of(packed)
    whole = source.batch_at(5)
    parts, read = [], []
    for rank in range(count):
        one = source_of(packed)
        picture = one.picture
        one.picture = lambda name, size, picture=picture: (read.append(name), picture(name, size))[1]
        monkeypatch.setattr(shards, "processes", lambda rank=rank: Processes(rank, count))
        parts.append(one.part_at(5))
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert [row[row != PAD].tolist() for part in parts for row in part.texts] == [
        row[row != PAD].tolist() for row in whole.texts
    ]
    assert len(read) == len(set(read)) == 6
    monkeypatch.setattr(shards, "processes", lambda: Processes(0, 4))
    with pytest.raises(ValueError, match="--pairs must be a multiple of 4, the number of processes, got 6"):
        source.part_at(0)


@pytest.mark.parametrize("damage", ["cut", "cut between files", "header", "empty", "no tar", "gz"])
def test_a_damaged_shard_is_named_and_the_rest_goes_on(tmp_path, capsys, damage: str) -> None:
    write_tar(tmp_path / "a.tar", many(range(20)))
    write_tar(tmp_path / "c.tar", many(range(20, 40)))
    damaged = write_tar(tmp_path / "b.tar", many(range(40, 50)))
    data = bytearray(damaged.read_bytes())
    with tarfile.open(damaged) as tar:
        middle = tar.getmembers()[8].offset
    if damage == "cut":
        data = data[: middle + 700]
    elif damage == "cut between files":
        data = data[:middle]
    elif damage == "header":
        data[middle + 150] ^= 0xFF  # in the checksum: tarfile takes it for the end
    elif damage == "empty":
        data = b""
    elif damage == "no tar":
        data = b"hello" * 1000
    else:
        import gzip

        data = gzip.compress(bytes(data))
    damaged.write_bytes(bytes(data))
    stored, _ = read_shards(f"{tmp_path}/*.tar")
    assert {name.partition("/")[0] for name in stored} == {"a.tar", "c.tar"}
    assert len(stored) == 40
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"left out: {damaged}: not a tar file, or damaged")


def test_a_damaged_image_gives_its_place_to_another_pair(tmp_path, capsys) -> None:
    files = many(range(40))
    source = ShardsSource(SMALL, str(write_tar(tmp_path / "a.tar", files)))
    first, third = (name.partition("/")[2] for name in source.drawn(0, source.parts["train"], 6)[:3:2])
    files[f"{first}.png"], files[f"{third}.png"] = b"no image", files[f"{third}.png"][:40]
    whole = source.batch_at(0)
    write_tar(tmp_path / "a.tar", files)
    images, texts = ShardsSource(SMALL, f"{tmp_path}/a.tar").batch_at(0)
    before, now = shown(whole.images), shown(images)
    assert [before[k] == now[k] for k in range(6)] == [False, True, False, True, True, True]
    assert len(set(now)) == 6
    assert len(texts) == 6
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert f"left out: {tmp_path}/a.tar/{first}.png: not an image, or damaged" in lines[0]


def test_unusable_pairs_are_counted(tmp_path, capsys) -> None:
    write_tar(
        tmp_path / "a.tar",
        many(range(12))
        | {"x.png": png(1), "y.txt": b"a text", "z.png": png(2), "z.txt": b" . "}
        | {"j.png": png(3), "j.json": b"{", "k.png": png(4), "k.json": b"[1]", "u.png": png(5), "u.txt": b"\xff"},
    )
    stored, _ = read_shards(f"{tmp_path}/a.tar")
    assert len(stored) == 12
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"left out: 6 of {tmp_path}/a.tar, such as x: no .txt and no .json"


def test_keys_and_captions_follow_webdataset(tmp_path) -> None:
    """The key ends at the first dot of the name; folders belong to it."""
    path = write_tar(
        tmp_path / "a.tar",
        {
            "d.1/a.seg.png": png(0), "d.1/a.png": png(1), "d.1/a.txt": b" two\n words ",
            "b.JPG": png(2), "b.json": json.dumps({"caption": "one", "url": "x"}).encode(),
            "c.webp": png(3), "c.json": json.dumps({"captions": ["one", "", "two"]}).encode(),
        },
    )  # fmt: skip
    pairs, faults = read_shard(path)
    assert {key: texts for key, (_, texts) in pairs.items()} == {
        "d.1/a": ["two words"], "b": ["one"], "c": ["one", "two"]
    }  # fmt: skip
    assert {key: image.read() for key, (image, _) in pairs.items()} == {"d.1/a": png(1), "b": png(2), "c": png(3)}
    assert not faults


def test_a_key_in_two_shards_is_in_one_part(tmp_path) -> None:
    for name in "ab":
        write_tar(tmp_path / f"{name}.tar", many(range(30)))
    source = ShardsSource(SMALL, f"{tmp_path}/*.tar")
    parts = {part: {name.partition("/")[2] for name in names} for part, names in source.parts.items()}
    assert sum(map(len, source.parts.values())) == 60
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]


def test_no_shard_and_no_pair_are_one_line(tmp_path, capsys) -> None:
    def refused(message: str, config=SMALL) -> None:
        with pytest.raises(ValueError, match=message) as error:
            ShardsSource(config, f"{tmp_path}/*.tar").check()
        assert "\n" not in str(error.value)

    refused("tar: there is no such file")
    write_tar(tmp_path / "a.tar", {"x.png": png(0)})
    refused("1 files, and no image with a caption in them")
    write_tar(tmp_path / "a.tar", many(range(20)))
    refused("--pairs must be at most 1[0-9], the number of training images, got 50", replace(SMALL, pairs=50))
    files = {name: b"no image" if name.endswith("png") else data for name, data in many(range(20)).items()}
    write_tar(tmp_path / "a.tar", files)
    refused("no image for validation can be read")
    with pytest.raises(ValueError, match=r"too many damaged images for a batch, such as .*a\.tar"):
        ShardsSource(SMALL, f"{tmp_path}/a.tar").batch_at(0)


def test_long_captions_are_counted(packed, capsys) -> None:
    source_of(packed, replace(SMALL, context=6)).check()
    assert "training captions are cut to --context 6 token ids" in capsys.readouterr().err


def test_packing_leaves_out_damaged_images_and_nothing_else(tmp_path, capsys) -> None:
    root = write_folder(tmp_path / "data", 10)
    (root / "images" / "4.png").write_text("no image")
    written = pack(root, tmp_path / "out", 4)
    assert [path.name for path in written] == ["000000.tar", "000001.tar", "000002.tar"]
    assert "4.png: not an image, or damaged" in capsys.readouterr().err
    stored, captions = read_shards(f"{tmp_path}/out/*.tar")
    for (name, image), k in zip(stored.items(), [0, 1, 2, 3, 5, 6, 7, 8, 9], strict=True):
        assert image.read() == (root / "images" / f"{k}.png").read_bytes()
        assert captions[name] == captions_of(k)
    assert pack(root, tmp_path / "again", 4)[1].read_bytes() == written[1].read_bytes(), "the same bytes each time"
    with pytest.raises(ValueError, match="there are shards already; choose a new folder"):
        pack(root, tmp_path / "out", 4)
    with pytest.raises(ValueError, match="--images must be at least 1, got 0"):
        pack(root, tmp_path / "new", 0)
