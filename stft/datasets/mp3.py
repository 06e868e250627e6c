"""The sound in an MP3 file, without the tags around it, if the file says how long it is.

An encoder puts a first frame before the sound, with the word Xing or Info, which holds the number of bytes. Without it
libsndfile guesses the length, and reads only a part of a file whose bitrate varies. With it a cut can be seen.

Where a frame is damaged, the decoder goes on, and writes a line on stderr that does not say which file it reads.
``decoder_messages_caught`` makes an error of it that does.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SYNC, LAYER_3 = 0xE0, 0x02  # bits of the second byte of a frame
LONGEST_HEADER = 200  # bytes of the first frame in which the word Xing or Info begins
NUMBER_OF_FRAMES, NUMBER_OF_BYTES = 1, 2  # flags behind the word


def mp3_stream(path: Path) -> bytes | None:
    """The frames of an MP3 file; None if the file is of another kind.

    Raises:
        ValueError: if the file is cut short, does not say its length, or has more than one stream.
    """
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:
            sizes = head[6:10]  # 7 bits in each byte
            start = 10 + sum(byte << shift for byte, shift in zip(sizes, (21, 14, 7, 0), strict=True))
        file.seek(start)
        frame = file.read(LONGEST_HEADER)
        if len(frame) < 4 or frame[0] != 0xFF or frame[1] & SYNC != SYNC or frame[1] & 0x06 != LAYER_3:
            return None
        at = max(frame.find(b"Xing"), frame.find(b"Info"))
        flags = int.from_bytes(frame[at + 4 : at + 8], "big")
        if at < 0 or not flags & NUMBER_OF_BYTES:
            raise ValueError(f"{path}: an MP3 file without its length is not read: write it as WAV or FLAC first")
        place = at + (12 if flags & NUMBER_OF_FRAMES else 8)
        length = int.from_bytes(frame[place : place + 4], "big")
        file.seek(start)
        stream = file.read(length)
        if len(stream) < length:
            raise ValueError(f"{path}: the file is cut short")
        if file.read(2) == frame[:2]:
            raise ValueError(f"{path}: an MP3 file must have one stream, and more follows")
    return stream


@contextmanager
def decoder_messages_caught(path: Path, read: int = 0) -> Iterator[None]:
    """While the decoder runs, what is written to the file descriptor of stderr is kept.

    Args:
        read: samples per channel that have been read before.

    Raises:
        ValueError: if anything was written.
    """
    with tempfile.TemporaryFile() as messages:
        stderr = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        messages.seek(0)
        first = messages.readline().decode(errors="replace").strip()
    if first:
        raise ValueError(f"{path}: damaged after {read} samples ({first.rpartition('] ')[2]})")
