"""Files of tokenizers, from here to ``tokenizers`` and back; and every way in which one can be wrong."""

import gzip
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.models import BPE

from clip_mini.extensions import tokenizer_files
from clip_mini.extensions.byte_pair import BytePairs, train_byte_pairs
from clip_mini.extensions.clip_tokenizer import END, START, alphabet
from clip_mini.extensions.tokenizer_files import (
    installed_merges,
    read_byte_pairs,
    read_clip_tokenizer,
    write_byte_pairs,
)
from lab.peers import import_torchaudio

MERGES = ["l o", "lo w</w>", "lo w", "e r</w>"]  # of a small tokenizer with CLIP's alphabet
SYMBOLS = [*alphabet(), *(merge.replace(" ", "") for merge in MERGES), START, END]
IDS = {symbol: len(SYMBOLS) - 1 - k for k, symbol in enumerate(SYMBOLS)}  # in an order of its own: end is 0
LOW_LOWER = [IDS["low</w>"], IDS["low"], IDS["er</w>"]]


@given(st.lists(st.text(), max_size=4), st.text(), st.integers(0, 20))
def test_file_and_back(texts: list[str], text: str, merges: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, written = Path(folder) / "new" / "merges.txt", train_byte_pairs(texts, merges)
        write_byte_pairs(path, written)
        read = read_byte_pairs(path)
        assert read.merges == written.merges
        assert read.encode(text) == written.encode(text)
        (Path(folder) / "vocab.json").write_text(json.dumps(read.ids))
        ids, pairs = BPE.read_file(f"{folder}/vocab.json", str(path))  # the library reads it, too
        assert (ids, [*pairs]) == (read.ids, [*read.merges])


def test_lines_of_windows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"#version: 0.2\r\na b\r\nab c\r\n")
    assert read_byte_pairs(tmp_path / "a.txt").merges == (("a", "b"), ("ab", "c"))


ALLOWED = (
    "allowed are two symbols with a space between them, each a byte or made by a merge above, that make a new symbol"
)
BAD_LINES = {  # what is wrong: the file, where, the message
    "one symbol": (b"#version: 0.2\na b\nab\n", ", line 3: got 'ab', " + ALLOWED),
    "three symbols": (b"#version: 0.2\na b c\n", ", line 2: got 'a b c', " + ALLOWED),
    "an empty line": (b"#version: 0.2\na b\n\nc d\n", ", line 3: got '', " + ALLOWED),
    "a symbol that nothing made": (b"#version: 0.2\na bc\nb c\n", ", line 2: got 'a bc', " + ALLOWED),
    "no character of a byte": ("#version: 0.2\n한 국\n".encode(), ", line 2: got '한 국', " + ALLOWED),
    "made twice": (b"#version: 0.2\na b\nb c\na bc\nab c\n", ", line 5: got 'ab c', " + ALLOWED),
    "no version": (b"a b\n", ", line 1: got 'a b', allowed is '#version: 0.2'"),
    "empty": (b"", ", line 1: got '', allowed is '#version: 0.2'"),
    "no UTF-8": (b"#version: 0.2\na b\n\xff c\n", ", line 3: got the byte 0xFF, allowed is UTF-8"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_lines(tmp_path: Path, case: str) -> None:
    path = tmp_path / "a.txt"
    content, message = BAD_LINES[case]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path) + message)}$"):
        read_byte_pairs(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*a\.txt: No such file or directory"):
        read_byte_pairs(tmp_path / "a.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write .*merges\.txt: "):
        write_byte_pairs(tmp_path / "file" / "merges.txt", BytePairs([]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The layout of the published Hugging Face folders."""
    (tmp_path / "vocab.json").write_text(json.dumps(IDS))
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES, ""]))
    return tmp_path


def as_transformers_writes(folder: Path) -> None:
    """The layout of transformers 5: all in ``tokenizer.json``."""
    import_torchaudio()
    from transformers import CLIPTokenizer

    CLIPTokenizer(vocab=IDS, merges=[tuple(merge.split()) for merge in MERGES]).save_pretrained(folder)
    (folder / "vocab.json").unlink()


def as_transformers_4_wrote(folder: Path) -> None:
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": IDS, "merges": MERGES}}))
    (folder / "vocab.json").unlink()


@pytest.mark.parametrize("layout", [lambda folder: None, as_transformers_writes, as_transformers_4_wrote])
def test_folder(folder: Path, layout: Callable) -> None:
    """Ids are those of the folder."""
    layout(folder)
    tokenizer = read_clip_tokenizer(folder)
    assert tokenizer.encode("Low lower") == LOW_LOWER
    assert (tokenizer.start, tokenizer.end, tokenizer.words) == (1, 0, len(SYMBOLS))
    assert tokenizer.decode([1, *LOW_LOWER, 0, 5]) == "low lower"


def without(symbol: str) -> str:
    return json.dumps({name: index for name, index in IDS.items() if name != symbol})


BAD_FOLDERS = {  # what is wrong: the file, its content (None: no such file), the message
    "no merges": ("merges.txt", None, "cannot read .*merges.txt: No such file"),
    "no file": ("vocab.json", None, "cannot read .*tokenizer.json: No such file"),
    "a bad line": ("merges.txt", "#version: 0.2\nl o\nl o w\n", "merges.txt, line 3: got 'l o w', allowed are two"),
    "a byte without id": ("vocab.json", without("!"), "vocab.json: '!' has no id; allowed is a vocabulary with every"),
    "a merge without id": ("vocab.json", without("er</w>"), "vocab.json: 'er</w>' has no id"),
    "no end": ("vocab.json", without(END), r"vocab.json: '<\|endoftext\|>' has no id"),
    "an id twice": ("vocab.json", json.dumps(IDS | {"!": 0}), "vocab.json: allowed is an object .* id of its own"),
    "an id that is text": ("vocab.json", json.dumps(IDS | {"!": "0"}), "vocab.json: allowed is an object"),
    "cut": ("vocab.json", json.dumps(IDS)[:-9], "vocab.json is damaged: cut short, or no JSON"),
    "a list": ("vocab.json", "[]", "vocab.json: got list, allowed is an object"),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_bad_folder(folder: Path, case: str) -> None:
    name, content, message = BAD_FOLDERS[case]
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_clip_tokenizer(folder)


@pytest.mark.parametrize("model", [None, {}, {"vocab": IDS, "merges": [1]}, {"vocab": IDS, "merges": {}}])
def test_bad_tokenizer_json(tmp_path: Path, model: dict | None) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    with pytest.raises(
        ValueError, match=r"tokenizer\.json: got no merges, allowed is a tokenizer with model.vocab and"
    ):
        read_clip_tokenizer(tmp_path)


def test_bad_merge_in_tokenizer_json(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": IDS, "merges": [["l", "o"], ["l", 1, 2]]}}))
    with pytest.raises(ValueError, match=r"tokenizer\.json, merge 2: got 'l 1 2', allowed are two symbols"):
        read_clip_tokenizer(tmp_path)


BAD_GZIP = {  # what is wrong: the file made from the published one, the message
    "cut": (lambda data: data[:9999], "is damaged: cut short, or no gzip file"),
    "a changed byte": (lambda data: data[:5000] + b"\0" * 50 + data[5050:], "is damaged: cut short, or no gzip file"),
    "no gzip": (gzip.decompress, "is damaged: cut short, or no gzip file"),
    "empty": (lambda data: b"", "a.gz, line 1: got '', allowed is '#version: 0.2'"),
    "too few merges": (lambda data: gzip.compress(b"#version: 0.2\ni n\n"), "a.gz: got 1 merges, CLIP has 48894"),
    "a bad line": (
        lambda data: gzip.compress(gzip.decompress(data).replace(b"\nt h\n", b"\nt h e\n"), 1),
        "a.gz, line 3: got 't h e', allowed are two symbols",
    ),
}


@pytest.mark.parametrize("case", BAD_GZIP)
def test_bad_gzip(tmp_path: Path, case: str) -> None:
    change, message = BAD_GZIP[case]
    (tmp_path / "a.gz").write_bytes(change(installed_merges().read_bytes()))
    with pytest.raises(ValueError, match=message):
        read_clip_tokenizer(tmp_path / "a.gz")


def test_given_gzip_is_the_installed_one() -> None:
    given_path, installed = read_clip_tokenizer(installed_merges()), read_clip_tokenizer()
    assert given_path.merges == installed.merges
    assert given_path.ids == installed.ids


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got .*vocab\.json, allowed are bpe_simple_vocab_16e6\.txt\.gz and a"):
        read_clip_tokenizer(tmp_path / "vocab.json")


@pytest.mark.parametrize(("package", "name"), [("clip", "openai-clip"), ("ftfy", "ftfy"), ("regex", "regex")])
def test_package_is_not_installed(monkeypatch: pytest.MonkeyPatch, package: str, name: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        tokenizer_files.importlib.util, "find_spec", lambda asked: None if asked == package else find(asked)
    )
    with pytest.raises(
        ValueError, match=rf"{name} is not installed.*: pip install \"multimodal-from-scratch\[real\]\""
    ):
        read_clip_tokenizer()
