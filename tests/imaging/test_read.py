import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.frames import to_uint8
from nerve_core.imaging.read import base_name, open_scan, read_scan
from tests.imaging.build import dicom, encode, tissue

LOSSLESS = [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {})]


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_grey_is_kept_exactly(kind, options):
    pixels = tissue()
    scan = read_scan(encode(pixels, kind, **options), name="scan.x")
    assert np.array_equal(scan.pixels, pixels)
    assert scan.spacing_mm is None and scan.name == "scan.x" and scan.n_frames == 1


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_equal_channels_are_grey(kind, options):
    pixels = tissue()
    assert np.array_equal(read_scan(encode(np.dstack([pixels] * 3), kind, **options)).pixels, pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(mode):
    pixels = tissue()
    scan = read_scan(encode(Image.fromarray(pixels).convert(mode), "JPEG", quality=95))
    assert np.abs(scan.pixels.astype(int) - pixels).mean() < 3


def test_the_kind_is_told_by_content_not_by_name(tmp_path):
    path = tmp_path / "scan.jpg"
    path.write_bytes(encode(tissue(), "TIFF"))
    scan = read_scan(path)
    assert np.array_equal(scan.pixels, tissue()) and scan.name == "scan.jpg"


def test_transparency_shows_black_behind():
    pixels = tissue()
    alpha = np.full(pixels.shape, 255, np.uint8)
    alpha[:60] = 0
    scan = read_scan(encode(np.dstack([pixels] * 3 + [alpha])))
    assert not scan.pixels[:60].any() and np.array_equal(scan.pixels[60:], pixels[60:])
    grey_alpha = Image.merge("LA", [Image.fromarray(pixels), Image.fromarray(alpha)])
    assert np.array_equal(read_scan(encode(grey_alpha)).pixels, scan.pixels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_palette(kind):
    pixels = tissue()
    image = Image.fromarray(255 - pixels, mode="P")
    image.putpalette([255 - value for value in range(256) for _ in range(3)])
    assert np.array_equal(read_scan(encode(image, kind)).pixels, pixels)


def test_one_bit():
    bits = tissue() > 110
    scan = read_scan(encode(Image.fromarray(bits)))
    assert np.array_equal(scan.pixels, bits * np.uint8(255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_are_undone(orientation):
    upright = tissue(96, 160)
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    scan = read_scan(encode(np.ascontiguousarray(turned), exif=exif))
    assert np.array_equal(scan.pixels, upright)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_is_scaled_by_the_depth_in_use(kind):
    deep = tissue().astype(np.uint16) * 16 + 15  # 12 bits
    scan = read_scan(encode(deep, kind))
    assert np.array_equal(scan.pixels, np.rint(deep * (255 / 4095)).astype(np.uint8))


def test_depth_rules():
    values = np.array([[0, 100], [200, 255]])
    assert np.array_equal(to_uint8(values.astype(np.uint16)), values), "8 bits in a 16-bit file stay"
    assert np.array_equal(to_uint8((values * 257).astype(np.uint16)), values)
    assert np.array_equal(to_uint8((values / 255).astype(np.float32)), values)
    assert np.array_equal(to_uint8(values.astype(np.float32)), values)
    assert np.array_equal(to_uint8(np.array([[-5.0, 0.0, 5.0]])), [[0, 128, 255]])
    assert np.array_equal(to_uint8(np.array([[-128, 127]], np.int16)), [[0, 255]])
    assert np.array_equal(to_uint8(np.array([[False, True]])), [[0, 255]])


def test_float_tiff():
    pixels = tissue()
    assert np.array_equal(read_scan(encode((pixels / 255).astype(np.float32), "TIFF")).pixels, pixels)


def test_pages_of_a_tiff_are_frames():
    pages = [Image.fromarray(tissue(seed=seed)) for seed in range(3)]
    file = open_scan(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert file.n_frames == 3
    for frame in (2, 0, 1):
        scan = file.scan(frame)
        assert np.array_equal(scan.pixels, tissue(seed=frame)) and (scan.frame, scan.n_frames) == (frame, 3)
    with pytest.raises(ScanError, match="no frame 3"):
        file.scan(3)
    with pytest.raises(ScanError, match="no frame -1"):
        file.scan(-1)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\scan.png", "scan.png"),
        ("a/b\\c/d.png", "d.png"),
        ("sc\x00an\n\x1b[31m.png", "scan[31m.png"),
        ("..", "scan"),
        ("folder/", "scan"),
        ("", "scan"),
        ("\u202egnp.scan", "gnp.scan"),
        ("Jürgen 臂.png", "Jürgen 臂.png"),
    ],
)
def test_only_the_base_name_is_kept(given_name, kept):
    assert base_name(given_name) == kept
    assert read_scan(encode(tissue()), name=given_name).name == kept


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def many_pages(count: int) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.broadcast_to(tissue(32, 32), (count, 32, 32)), metadata=None)
    return stream.getvalue()


def nan_tiff() -> bytes:
    pixels = tissue().astype(np.float32)
    pixels[3, 4] = np.nan
    return encode(pixels, "TIFF")


BAD = {
    "empty": (lambda: b"", "is empty"),
    "text named .png": (lambda: b"patient notes, not a picture\n" * 50, "not a picture"),
    "gif": (lambda: encode(tissue(), "GIF"), "not a picture"),
    "truncated png": (lambda: encode(tissue())[:-2000], "damaged or cut off"),
    "truncated jpeg": (lambda: encode(tissue(), "JPEG")[:-500], "damaged or cut off"),
    "truncated tiff": (lambda: encode(tissue(), "TIFF")[:-9000], "damaged or cut off"),
    "truncated bmp": (lambda: encode(tissue(), "BMP")[:-9000], "damaged or cut off"),
    "header alone": (lambda: b"\x89PNG\r\n\x1a\n", "damaged or cut off"),
    "bomb": (lambda: png_of(50_000, 50_000), "million pixels"),
    "over the pixel limit": (lambda: png_of(8_000, 8_000), "million pixels"),
    "zero width": (lambda: png_of(0, 100), "width or height is zero"),
    "zero height": (lambda: png_of(100, 0), "width or height is zero"),
    "too small": (lambda: encode(tissue(31, 200)), "only 200 × 31 px"),
    "nan": (nan_tiff, "NaN"),
    "constant 16 bit": (lambda: encode(np.full((64, 64), 700, np.uint16)), "blank"),
    "constant 8 bit": (lambda: encode(np.full((64, 64, 3), 90, np.uint8)), "blank"),
    "2,000 frames": (lambda: many_pages(2_000), "more than 1000 frames"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_clear_sentence(what):
    make, sentence = BAD[what]
    with pytest.raises(ScanError, match=sentence) as caught:
        read_scan(make(), name="x.png")
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 200
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_every_kind_of_bad_input_has_its_own_sentence():
    def said(what):
        with pytest.raises(ScanError) as caught:
            read_scan(BAD[what][0]())
        return str(caught.value)

    kinds = ["empty", "gif", "truncated png", "bomb", "zero width", "too small", "nan", "constant 8 bit"]
    assert len({said(kind) for kind in kinds}) == len(kinds)


def test_blank_and_nan_pictures_are_refused_not_broken():
    for what in ("nan", "constant 16 bit"):
        with pytest.raises(RefusedScan):
            read_scan(BAD[what][0]())


def test_a_bomb_takes_no_memory():
    data = png_of(50_000, 50_000)
    tracemalloc.start()
    try:
        with pytest.raises(ScanError):
            read_scan(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_file_over_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NERVE_MAX_UPLOAD_MB", "1")
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(3 * 2**20)
    for source in (path, str(path), bytes(3 * 2**20)):
        with pytest.raises(ScanError, match="limit of 1 MB"):
            open_scan(source)


def test_a_missing_file(tmp_path):
    for path in (tmp_path / "none.png", tmp_path, "bad\0name"):
        with pytest.raises(ScanError, match="cannot be opened"):
            open_scan(path)


SAMPLES = {
    "png": encode(tissue(40, 48)),
    "rgb png": encode(np.dstack([tissue(40, 48)] * 3)),
    "jpeg": encode(tissue(40, 48), "JPEG"),
    "tiff": encode(tissue(40, 48), "TIFF"),
    "lzw": encode(tissue(40, 48), "TIFF", compression="tiff_lzw"),
    "bmp": encode(tissue(40, 48), "BMP"),
    "dicom": dicom(tissue(40, 48)),
}
fuzz = hypothesis_settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def read_or_refuse(data: bytes) -> None:
    try:
        file = open_scan(data)
        for frame in range(min(file.n_frames, 2)):
            assert min(file.scan(frame).pixels.shape) >= 32
    except ScanError as error:
        assert str(error).endswith(".")


@pytest.mark.filterwarnings("ignore")
@fuzz
@given(st.binary(max_size=600), st.sampled_from([b"", *(data[:24] for data in SAMPLES.values())]))
def test_random_bytes_raise_nothing_else(body, start):
    read_or_refuse(start + body)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", SAMPLES)
@fuzz
@given(data=st.data())
def test_cut_and_spoilt_files_raise_nothing_else(kind, data):
    spoilt = bytearray(SAMPLES[kind])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)):
        spoilt[min(at, len(spoilt) - 1)] = value
    read_or_refuse(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]))
    read_or_refuse(bytes(spoilt))


def test_reading_is_safe_from_many_threads():
    from concurrent.futures import ThreadPoolExecutor

    pages = [Image.fromarray(tissue(seed=seed)) for seed in range(4)]
    file = open_scan(io.BytesIO(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])).getvalue())
    with ThreadPoolExecutor(4) as pool:
        scans = list(pool.map(file.scan, [0, 1, 2, 3] * 8))
    assert all(np.array_equal(scan.pixels, tissue(seed=scan.frame)) for scan in scans)
