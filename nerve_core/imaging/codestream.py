"""Size that a compressed frame states of itself, read without decoding it."""

from __future__ import annotations

import struct

_J2K_START = b"\xff\x4f\xff\x51"
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_NOT_FRAMES = {0xC4, 0xC8, 0xCC}
_JPEG_LS_FRAME = 0xF7


def jpeg_components(codestream: bytes) -> int | None:
    """Number of components that a JPEG codestream's frame header states (T.81 B.2.2), None without one."""
    at = _frame_header(codestream)
    return None if at is None else codestream[at + 9]


def is_jpeg_ls(codestream: bytes) -> bool:
    """Whether its frame header is that of JPEG-LS."""
    at = _frame_header(codestream)
    return at is not None and codestream[at + 1] == _JPEG_LS_FRAME


def _frame_header(codestream: bytes) -> int | None:
    """Where the frame header of a JPEG or JPEG-LS codestream begins, None without one."""
    at = 2
    while codestream[:2] == b"\xff\xd8" and at + 10 <= len(codestream) and codestream[at] == 0xFF:
        marker = codestream[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker == _JPEG_LS_FRAME or (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES):
            return at
        else:
            at += 2 + struct.unpack(">H", codestream[at + 2 : at + 4])[0]
    return None


def frame_size(codestream: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG, JPEG-LS or JPEG 2000 codestream, None when it is none of these.

    JPEG and JPEG-LS state it in their frame header (ITU-T T.81 B.2.2, T.87 C.2.2), JPEG 2000 in its SIZ
    marker (T.800 A.5.1).
    """
    start = codestream.find(_J2K_START, 0, 4096)  # a JP2 file has boxes before its codestream
    if start >= 0 and (start == 0 or codestream[4:8] == b"jP  "):
        if len(codestream) < start + 24:
            return None
        width, height, left, top = struct.unpack(">IIII", codestream[start + 8 : start + 24])
        return height - top, width - left
    at = _frame_header(codestream)
    return None if at is None else struct.unpack(">HH", codestream[at + 5 : at + 9])
