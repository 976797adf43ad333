"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), many bytes at a time with NumPy.

The sum is linear over GF(2): the data are laid out as rows, all rows go forward one byte at a time together,
and the rows' sums are then joined, each shifted past the bytes of the rows that follow it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

POLYNOMIAL = 0x82F63B78
"""0x1EDC6F41 with its bits in reverse, as they go over the wire."""


def crc32c(data: bytes) -> int:
    """The checksum of some bytes, an unsigned 32-bit number.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    count = len(data)
    if count < 4:
        return _step_by_step(data)
    width = round(count**0.5)
    # Zero bytes before the first change nothing as long as the register is 0, so the rows can be filled up
    # in front; the register's first value goes into the first four bytes instead.
    first = np.frombuffer(data, np.uint8, 4) ^ 0xFF
    padded = np.zeros(-(-count // width) * width, np.uint8)
    padded[-count:] = np.frombuffer(data, np.uint8)
    padded[len(padded) - count : len(padded) - count + 4] = first
    rows = padded.reshape(-1, width)
    table = _table()
    sums = np.zeros(len(rows), np.uint32)
    for column in np.ascontiguousarray(rows.T):
        sums = table[(sums ^ column) & 0xFF] ^ (sums >> 8)
    past = _past(width)
    total = 0
    for own in sums.tolist():
        a, b, c, d = total.to_bytes(4, "little")
        total = past[0][a] ^ past[1][b] ^ past[2][c] ^ past[3][d] ^ own
    return total ^ 0xFFFFFFFF


def _step_by_step(data: bytes) -> int:
    total, table = 0xFFFFFFFF, _table()
    for byte in data:
        total = int(table[(total ^ byte) & 0xFF]) ^ (total >> 8)
    return total ^ 0xFFFFFFFF


@lru_cache
def _table() -> np.ndarray:
    """What each byte adds, uint32 (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint32(POLYNOMIAL), np.uint32(0))
    return table


@lru_cache
def _past(count: int) -> list[list[int]]:
    """What becomes of each value of the register's four bytes after ``count`` zero bytes."""
    table = _table()
    values = np.arange(256, dtype=np.uint32)[None] << np.array([[0], [8], [16], [24]], np.uint32)
    for _ in range(count):
        values = table[values & 0xFF] ^ (values >> 8)
    return values.tolist()
