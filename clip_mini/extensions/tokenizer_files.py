r"""Files of the tokenizers: merges of our own, CLIP's published merges, and Hugging Face folders.

Merges are written one a line, two symbols with a space between them, after a line with the version: the format of
GPT-2's ``merges.txt``. Each byte is the visible character of ``byte_characters``. The number of a line is the rank.
"""

import gzip
import importlib.util
import json
import zlib
from pathlib import Path

from clip_mini.extensions.byte_pair import BytePairs, byte_characters, symbol_ids
from clip_mini.extensions.clip_tokenizer import END, START, ClipTokenizer, alphabet
from lab.checkpoint import read_bytes, write_text

VERSION = "#version: 0.2"  # the first line
MERGES = 49_152 - 256 - 2  # of CLIP; the authors' file has more lines, which they do not use
INSTALL = 'pip install "multimodal-from-scratch[real]"'


def write_byte_pairs(path: Path, tokenizer: BytePairs) -> None:
    """Writes the merges in the format of GPT-2's ``merges.txt``, one a line, after a line with the version."""
    write_text(path, "\n".join([VERSION, *map(" ".join, tokenizer.merges), ""]))


def read_byte_pairs(path: Path) -> BytePairs:
    """What ``write_byte_pairs`` wrote.

    Raises:
        ValueError: if the file cannot be read, or a line is wrong: which, what came, and what is allowed.
    """
    merges = merge_lines(path, read_bytes(path))
    symbol_ids(merges, byte_characters().values(), f"{path}, line", first=2)
    return BytePairs(merges)


def merge_lines(path: Path, data: bytes) -> list[tuple[str, ...]]:
    """The symbols of each line of a file of merges, after the line with the version."""
    try:
        version, *lines = data.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: got the byte 0x{data[error.start]:02X}, allowed is UTF-8") from None
    if "#version" not in version:
        raise ValueError(f"{path}, line 1: got {version!r:.60}, allowed is {VERSION!r}")
    return [tuple(line.split()) for line in lines]


def read_clip_tokenizer(path: Path | None = None) -> ClipTokenizer:
    """CLIP's tokenizer from files.

    Args:
        path: the authors' ``bpe_simple_vocab_16e6.txt.gz``, or a Hugging Face folder with ``merges.txt`` and
            ``vocab.json``, or with ``tokenizer.json``. None: the authors' file, in the installed package openai-clip.

    Raises:
        ValueError: if a package or a file is missing, or a file is damaged: which, where, and what is allowed.
    """
    for package in ("ftfy", "regex"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"{package} is not installed: {INSTALL}")
    path = installed_merges() if path is None else path
    if path.is_dir():
        return ClipTokenizer(*read_folder(path))
    if path.suffix != ".gz":
        raise ValueError(f"got {path}, allowed are bpe_simple_vocab_16e6.txt.gz and a folder with vocab.json")
    try:
        merges = merge_lines(path, gzip.decompress(read_bytes(path)))[:MERGES]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged: cut short, or no gzip file") from error
    if len(merges) < MERGES:
        raise ValueError(f"{path}: got {len(merges)} merges, CLIP has {MERGES}")
    ids = symbol_ids(merges, alphabet(), f"{path}, line", first=2)
    return ClipTokenizer(merges, ids | {START: len(ids), END: len(ids) + 1})


def installed_merges() -> Path:
    """The authors' file in the package openai-clip, which is not imported."""
    package = importlib.util.find_spec("clip")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "bpe_simple_vocab_16e6.txt.gz"
        if path.is_file():
            return path
    raise ValueError(f"openai-clip is not installed, which has CLIP's merges: {INSTALL}")


def read_folder(folder: Path) -> tuple[list[tuple[str, ...]], dict[str, int]]:
    """The merges and the ids of a Hugging Face folder. The ids are those of the folder, in any order."""
    source = folder / "vocab.json"
    if source.is_file():
        ids, place, first = read_json(source), f"{folder / 'merges.txt'}, line", 2
        merges = merge_lines(folder / "merges.txt", read_bytes(folder / "merges.txt"))
    else:
        source, first = folder / "tokenizer.json", 1  # what transformers 5 writes
        model, place = read_json(source).get("model"), f"{source}, merge"
        merges = model.get("merges") if isinstance(model, dict) else None
        if not isinstance(merges, list) or not all(isinstance(merge, str | list) for merge in merges):
            raise ValueError(f"{source}: got no merges, allowed is a tokenizer with model.vocab and model.merges")
        merges = [tuple(merge.split() if isinstance(merge, str) else map(str, merge)) for merge in merges]
        ids = model.get("vocab")
    if not isinstance(ids, dict) or len(ids) != len({index for index in ids.values() if isinstance(index, int)}):
        raise ValueError(f"{source}: allowed is an object that gives each symbol an id of its own, a whole number")
    missing = [symbol for symbol in (*symbol_ids(merges, alphabet(), place, first), START, END) if symbol not in ids]
    if missing:
        raise ValueError(f"{source}: {missing[0]!r} has no id; allowed is a vocabulary with every byte and every merge")
    return merges, ids


def read_json(path: Path) -> dict:
    try:
        content = json.loads(read_bytes(path))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: cut short, or no JSON") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: got {type(content).__name__}, allowed is an object")
    return content
