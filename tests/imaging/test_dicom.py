import logging
import warnings
import zlib

import cv2
import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.pixels.utils import pack_bits
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.codestream import frame_size
from nerve_core.imaging.read import open_scan, read_scan
from tests.imaging.build import (
    JPEG_LOSSLESS_STAIRS,
    JPEG_LS_STAIRS,
    PATIENT,
    dicom,
    encode,
    region,
    save,
    stairs,
    tissue,
)


def compressed(data: bytes, syntax: str, **options) -> bytes:
    dataset = dcmread(DicomBytesIO(data))
    dataset.compress(syntax, generate_instance_uid=False, **options)
    return save(dataset)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_uncompressed_grey(syntax, depth):
    pixels = tissue()
    scan = read_scan(dicom(pixels.astype(depth), syntax=syntax), name="folder/IM0001")
    assert np.array_equal(scan.pixels, pixels) and scan.name == "IM0001"


def test_big_endian():
    pixels = tissue()
    big = dicom(
        pixels.astype(np.uint16), syntax=ExplicitVRBigEndian, PixelData=pixels.astype(">u2").tobytes()
    )
    assert np.array_equal(read_scan(big).pixels, pixels)


def test_without_preamble():
    pixels = tissue()
    assert np.array_equal(read_scan(dicom(pixels, preamble=False)).pixels, pixels)


def test_monochrome1_is_turned_over():
    pixels = tissue()
    assert np.array_equal(read_scan(dicom(255 - pixels, "MONOCHROME1")).pixels, pixels)


def test_rgb_by_pixel_and_by_plane():
    pixels = tissue()
    colour = np.dstack([pixels] * 3)
    assert np.array_equal(read_scan(dicom(colour, "RGB")).pixels, pixels)
    planes = dicom(colour, "RGB", PlanarConfiguration=1, PixelData=colour.transpose(2, 0, 1).tobytes())
    assert np.array_equal(read_scan(planes).pixels, pixels)


def test_ybr_full_and_422():
    pixels = tissue()
    neutral = np.full_like(pixels, 128)
    full = dicom(np.dstack([pixels, neutral, neutral]), "YBR_FULL")
    assert np.abs(read_scan(full).pixels.astype(int) - pixels).max() <= 1
    pairs = np.full((*pixels.shape[:1], pixels.shape[1] // 2, 4), 128, np.uint8)
    pairs[..., 0], pairs[..., 1] = pixels[:, ::2], pixels[:, 1::2]
    half = dicom(np.dstack([pixels] * 3), "YBR_FULL_422", PixelData=pairs.tobytes())
    assert np.abs(read_scan(half).pixels.astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(bits):
    pixels = tissue()
    table = np.arange(256)[::-1].astype(f"u{bits // 8}") * (257 if bits == 16 else 1)
    lookups = {}
    for name in ("Red", "Green", "Blue"):
        lookups[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        lookups[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    assert np.array_equal(read_scan(dicom(255 - pixels, "PALETTE COLOR", **lookups)).pixels, pixels)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
@pytest.mark.parametrize("colour", [False, True])
def test_lossless_compression(syntax, colour):
    pixels = tissue()
    frames = np.dstack([pixels] * 3) if colour else pixels
    data = dicom(frames, "RGB" if colour else "MONOCHROME2")
    if colour and syntax == JPEG2000Lossless:
        data = compressed(dicom(frames, "RGB", PhotometricInterpretation="YBR_RCT"), syntax)
        assert b"YBR_RCT" in data
    else:
        data = compressed(data, syntax)
    assert np.array_equal(read_scan(data).pixels, pixels)


def test_jpeg_2000_lossy_colour():
    pixels = tissue()
    data = dicom(np.dstack([pixels] * 3), "RGB", PhotometricInterpretation="YBR_ICT")
    scan = read_scan(compressed(data, JPEG2000, j2k_cr=[4]))
    assert np.abs(scan.pixels.astype(int) - pixels).mean() < 3


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "YBR_FULL_422"])
def test_jpeg_baseline(photometric):
    pixels = tissue()
    frames = pixels if photometric == "MONOCHROME2" else np.dstack([pixels] * 3)
    data = dicom(frames, photometric, JPEGBaseline8Bit, [encode(frames, "JPEG", quality=95)])
    assert np.abs(read_scan(data).pixels.astype(int) - pixels).mean() < 3


@pytest.mark.parametrize(
    ("syntax", "codestream"), [(JPEGLSLossless, JPEG_LS_STAIRS), (JPEGLossless, JPEG_LOSSLESS_STAIRS)]
)
def test_lossless_jpegs(syntax, codestream):
    scan = read_scan(dicom(stairs(), syntax=syntax, encapsulated=[codestream]))
    assert np.array_equal(scan.pixels, stairs())


def test_a_jpeg_of_other_components_or_a_cut_off_jpeg_ls_reaches_no_decoder(monkeypatch):
    """The one ends the program in GDCM, over the other CharLS counts for seconds."""
    from pydicom.pixels.decoders.base import Decoder

    def never(*args, **options):
        raise AssertionError("decoded")

    monkeypatch.setattr(Decoder, "as_array", never)
    colour = encode(np.dstack([tissue()] * 3), "JPEG")
    for data in (
        dicom(tissue(), syntax=JPEGBaseline8Bit, encapsulated=[colour]),
        dicom(stairs(), syntax=JPEGLSLossless, encapsulated=[JPEG_LS_STAIRS[:-12]]),
    ):
        with pytest.raises(ScanError, match="damaged"):
            read_scan(data)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_frames_are_decoded_one_at_a_time(syntax, monkeypatch):
    cine = np.stack([tissue(seed=seed) for seed in range(5)])
    data = dicom(cine)
    if syntax == RLELossless:
        data = compressed(data, syntax)
    from pydicom.pixels.decoders.base import Decoder

    asked = []
    whole = Decoder.as_array
    monkeypatch.setattr(
        Decoder, "as_array", lambda self, *a, **k: asked.append(k["index"]) or whole(self, *a, **k)
    )
    file = open_scan(data)
    assert file.n_frames == 5 and asked == []
    scan = file.scan(3)
    assert asked == [3] and np.array_equal(scan.pixels, cine[3]) and (scan.frame, scan.n_frames) == (3, 5)


def test_regions_in_centimetres_give_the_scale_by_rows_and_columns():
    pixels = np.zeros((200, 300), np.uint8)
    pixels[20:180, 30:250] = tissue(160, 220)
    scan = read_scan(dicom(pixels, SequenceOfUltrasoundRegions=[region((20, 30, 180, 250), 0.01, -0.02)]))
    assert scan.spacing_mm == pytest.approx((0.2, 0.1))
    assert scan.region == (20, 30, 180, 250)
    assert scan.spacing_at(20, 30) == scan.spacing_at(179, 249) == pytest.approx((0.2, 0.1))
    assert scan.spacing_at(180, 30) is None and scan.spacing_at(19, 30) is None


def test_the_region_that_holds_the_contour_counts_and_tissue_leads():
    pixels = tissue(200, 300)
    doppler = region((0, 0, 200, 160), 0.01, 0.5, units=(4, 7), data_type=3, spatial_format=3)
    flow = region((0, 0, 100, 150), 0.03, 0.03, data_type=2)
    left, right = region((0, 0, 200, 140), 0.01, 0.01), region((0, 160, 200, 300), 0.02, 0.02)
    scan = read_scan(dicom(pixels, SequenceOfUltrasoundRegions=[doppler, flow, right, left]))
    assert scan.spacing_at(50, 50) == pytest.approx((0.1, 0.1)), "tissue before colour flow"
    assert scan.spacing_at(50, 200) == pytest.approx((0.2, 0.2))
    assert scan.spacing_at(50, 145) == pytest.approx((0.3, 0.3))
    assert scan.spacing_at(150, 150) is None, "time against frequency is no length"
    assert scan.region in {(0, 0, 200, 140), (0, 160, 200, 300)}


@pytest.mark.parametrize(
    "item",
    [
        region((0, 0, 120, 160), units=(3, 4)),
        region((0, 0, 120, 160), units=(0, 0)),
        region((0, 0, 120, 160), units=(4, 3)),
        region((0, 0, 120, 160), delta_x=0.0),
        region((0, 0, 120, 160), delta_y=float("1e9")),
        region((50, 90, 40, 80)),
        region((0, 500, 120, 600)),
        Dataset(),
    ],
)
def test_a_region_that_states_no_length_gives_no_scale(item):
    scan = read_scan(dicom(SequenceOfUltrasoundRegions=[item], PixelSpacing=[0.1, 0.1]))
    assert scan.spacing_mm is None and scan.calibrated == () and scan.spacing_at(50, 50) is None


def test_pixel_spacing_needs_a_stated_calibration():
    assert read_scan(dicom(PixelSpacing=[0.2, 0.1])).spacing_mm is None
    assert read_scan(dicom(PixelSpacing=[0.2, 0.1], ImagerPixelSpacing=[0.2, 0.1])).spacing_mm is None
    assert read_scan(dicom(PixelSpacing=[0.2, 0.1], PixelSpacingCalibrationType="")).spacing_mm is None
    scan = read_scan(dicom(PixelSpacing=[0.2, 0.1], PixelSpacingCalibrationType="FIDUCIAL"))
    assert scan.spacing_mm == (0.2, 0.1) and scan.spacing_at(3, 3) == (0.2, 0.1)
    ultrasound = [region((0, 0, 120, 160), 0.03, 0.03)]
    both = dicom(
        PixelSpacing=[0.2, 0.1],
        PixelSpacingCalibrationType="FIDUCIAL",
        SequenceOfUltrasoundRegions=ultrasound,
    )
    assert read_scan(both).spacing_mm == pytest.approx((0.3, 0.3))


def test_a_region_larger_than_the_frame_is_cut_to_it():
    scan = read_scan(dicom(SequenceOfUltrasoundRegions=[region((0, 0, 500, 500))]))
    assert scan.calibrated[0].box == (0, 0, 120, 160)


def test_burnt_in_marks_are_painted_over():
    pixels = tissue()
    colour = np.dstack([pixels] * 3)
    cv2.circle(colour, (80, 60), 4, (0, 200, 180), -1)
    scan = read_scan(dicom(colour, "RGB"))
    changed = scan.pixels.astype(int) - pixels
    far = np.hypot(*(np.mgrid[:120, :160] - np.array([60, 80])[:, None, None])) > 9
    assert not changed[far].any() and np.abs(changed).max() < 130


def report() -> bytes:
    return dicom(Modality="SR", PixelData=None)


def garbage() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, 3000, np.uint8).tobytes()
    return dicom(syntax=JPEGBaseline8Bit, encapsulated=[noise])


def hidden_bomb() -> bytes:
    """A frame whose codestream is larger than the file says."""
    return dicom(tissue(64, 64), syntax=JPEGBaseline8Bit, encapsulated=[encode(tissue(640, 640), "JPEG")])


def unknown_syntax() -> bytes:
    return dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.999.99999.9.9.9\0", 1)


def deflated_bomb() -> bytes:
    head = dicom(syntax=DeflatedExplicitVRLittleEndian)
    length = 144 + dcmread(DicomBytesIO(head)).file_meta.FileMetaInformationGroupLength
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(deflater.compress(bytes(2**20)) for _ in range(220)) + deflater.flush()
    return head[:length] + body


BAD = {
    "no pixels": (report, ScanError, "holds no image"),
    "ct": (lambda: dicom(Modality="CT"), RefusedScan, "not an ultrasound image"),
    "no modality, other class": (
        lambda: dicom(Modality=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.7"),
        RefusedScan,
        "not an ultrasound image",
    ),
    "video": (lambda: dicom(syntax=MPEG4HP41, encapsulated=[b"\0" * 50]), ScanError, "transfer syntax"),
    "unknown syntax": (unknown_syntax, ScanError, "transfer syntax"),
    "garbage": (garbage, ScanError, "damaged"),
    "hidden bomb": (hidden_bomb, ScanError, "damaged"),
    "cut pixels": (lambda: dicom()[:-9000], ScanError, "damaged"),
    "cut header": (lambda: dicom()[:200], ScanError, ""),
    "2,000 frames": (lambda: dicom(NumberOfFrames=2000), ScanError, "more than 1000 frames"),
    "bomb": (lambda: dicom(Rows=50_000, Columns=50_000), ScanError, "million pixels"),
    "deflated bomb": (deflated_bomb, ScanError, "unpacks to more than"),
    "no rows": (lambda: dicom(Rows=None), ScanError, "damaged"),
    "zero rows": (lambda: dicom(Rows=0), ScanError, "width or height is zero"),
    "blank": (lambda: dicom(np.full((64, 64), 7, np.uint8)), RefusedScan, "blank"),
    "photograph": (
        lambda: dicom(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), "RGB"),
        RefusedScan,
        "colour photograph",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_get_one_sentence_that_names_nobody(what, caplog):
    make, error, sentence = BAD[what]
    data = make()
    with (
        warnings.catch_warnings(record=True) as seen,
        caplog.at_level(logging.DEBUG),
        pytest.raises(error, match=sentence) as caught,
    ):
        warnings.simplefilter("always")
        read_scan(data)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    said = message + caplog.text + "".join(str(warning.message) for warning in seen)
    assert PATIENT not in said and "Brown" not in said


def test_ultrasound_class_without_modality_is_ultrasound():
    assert read_scan(dicom(Modality=None)).pixels.shape == (120, 160)
    assert read_scan(dicom(SOPClassUID="1.2.840.10008.5.1.4.1.1.7")).pixels.shape == (120, 160)


def test_nothing_of_the_patient_is_kept_in_the_scan():
    scan = read_scan(dicom(SequenceOfUltrasoundRegions=Sequence([region((0, 0, 120, 160))])))
    assert PATIENT not in repr(vars(scan))


@pytest.mark.parametrize("size", [(33, 47), (100, 64)])
@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_size_of_a_codestream(size, kind):
    for options in [{}, {"no_jp2": True}] if kind == "JPEG2000" else [{}, {"progressive": True}]:
        assert frame_size(encode(tissue(*size), kind, **options)) == size


def test_no_size_of_garbage():
    for data in (
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\x4f\xff\x51\0",
        b"text",
        b"\xff\xd8" + b"\xff" * 50,
    ):
        assert frame_size(data) is None
    assert frame_size(JPEG_LS_STAIRS) == frame_size(JPEG_LOSSLESS_STAIRS) == (32, 32)


def test_one_bit_pixels():
    bits = (tissue() > 110).astype(np.uint8)
    packed = pack_bits(bits)
    scan = read_scan(dicom(bits, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed))
    assert np.array_equal(scan.pixels, bits * 255)
