"""The nerves of a scan as a DICOM Segmentation (PS3.3 A.51): binary, a segment a nerve, on the scan's pixels.

An outline runs between pixels, a binary segment does not. Of the pixels that an outline touches, those most
covered are taken, as many as its area holds: the segment's area is the measured one within half a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from nerve_core import __version__
from nerve_core.clinical import shape
from nerve_core.clinical.dicom_codes import ARTIFICIAL_INTELLIGENCE, NERVE, STRUCTURE, uid_of
from nerve_core.clinical.dicom_source import refer_to, single_frame
from nerve_core.clinical.measure import fine_outline
from nerve_core.errors import DataError
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOTICE, Prediction

if TYPE_CHECKING:
    from highdicom.seg import Segmentation
    from pydicom import Dataset

FINER = 16
"""Parts into which a pixel's side is cut to find how much of it an outline covers."""
SERIES_NUMBER = 9001


def covered_most(outline: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels an outline covers most, as many as its area, bool (H, W).

    Args:
        outline: (N, 2), x then y, px, pixel centres at whole numbers.
        size: (H, W) px.
    """
    outline = np.asarray(outline, np.float64)
    left, top = np.floor(outline.min(axis=0)).astype(int) - 1
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 2
    left, top = max(0, left), max(0, top)
    right, bottom = min(size[1], right), min(size[0], bottom)
    fine = np.zeros(((bottom - top) * FINER, (right - left) * FINER), np.uint8)
    points = (outline - (left, top) + 0.5) * FINER - 0.5
    cv2.fillPoly(fine, [np.round(points * 16).astype(np.int32)], 1, shift=4)
    cover = fine.reshape(bottom - top, FINER, right - left, FINER).mean(axis=(1, 3))
    wanted = min(max(1, round(shape.area(outline))), int(np.count_nonzero(cover)) or 1)
    chosen = np.zeros(cover.size, bool)
    chosen[np.argsort(-cover, axis=None, kind="stable")[:wanted]] = True
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = chosen.reshape(cover.shape)
    return mask


def tracking_uid(source: Dataset, scan: Scan, prediction: Prediction, number: int) -> str:
    """The UID under which segmentation and report speak of the same nerve, from 0."""
    outline = np.round(prediction.nerves[number].contour, 2).tobytes().hex()
    return uid_of("nerve", source.SOPInstanceUID, scan.frame, prediction.model, number, outline)


def segmentation(source: Dataset, scan: Scan, prediction: Prediction) -> Segmentation:
    """The nerves as a DICOM Segmentation.

    Args:
        source: image of :func:`nerve_core.clinical.dicom_source.source_image`.
        scan: the frame that was judged; its pixels are those of the source.
        prediction: with at least one nerve.

    Raises:
        DataError: there is no nerve, or the source is of another size.
    """
    import highdicom as hd

    if not prediction.nerves:
        raise DataError("There is no nerve to write into a segmentation; the report says so instead.")
    if (int(source.Rows), int(source.Columns)) != scan.pixels.shape:
        raise DataError("The segmentation needs the image the scan was read from; it has another size.")
    name, _, version = prediction.model.rpartition(" ")
    algorithm = hd.AlgorithmIdentificationSequence(
        name=f"nerve_core {name or version}"[:64], family=ARTIFICIAL_INTELLIGENCE, version=version[:64] or "0"
    )
    how = hd.seg.SegmentAlgorithmTypeValues
    described, masks = [], []
    for number, nerve in enumerate(prediction.nerves):
        described.append(
            hd.seg.SegmentDescription(
                segment_number=number + 1,
                segment_label=f"Nerve {number + 1}",
                segmented_property_category=STRUCTURE,
                segmented_property_type=NERVE,
                algorithm_type=how.SEMIAUTOMATIC if prediction.edited else how.AUTOMATIC,
                algorithm_identification=algorithm,
                tracking_uid=tracking_uid(source, scan, prediction, number),
                tracking_id=f"Nerve {number + 1}",
            )
        )
        masks.append(covered_most(fine_outline(prediction, nerve), scan.pixels.shape))
    stack = np.stack(masks, axis=-1).astype(np.uint8)[None]
    key = (source.SOPInstanceUID, scan.frame, prediction.model, stack.tobytes().hex())
    made = hd.seg.Segmentation(
        source_images=[single_frame(source)],
        pixel_array=stack,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=uid_of("seg series", source.SeriesInstanceUID),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid_of("seg", *key),
        instance_number=scan.frame + 1,
        manufacturer="nerve_core",
        manufacturer_model_name="nerve_core",
        software_versions=__version__,
        device_serial_number="none",
        content_description=NOTICE[:64],
        content_label="NERVES",
        omit_empty_frames=False,
    )
    made.PatientOrientation = None  # ultrasound has none, and the standard wants that said
    made.SeriesDescription = "Nerves, research use only"
    refer_to(made, source, scan.frame)
    return made


def segment_areas_px(made: Dataset) -> list[int]:
    """How many pixels each segment has, by segment number."""
    numbers = [item.SegmentNumber for item in made.SegmentSequence]
    frames = made.pixel_array
    frames = frames[None] if frames.ndim == 2 else frames
    counts = dict.fromkeys(numbers, 0)
    for frame, group in zip(frames, made.PerFrameFunctionalGroupsSequence, strict=True):
        shared = made.SharedFunctionalGroupsSequence[0]
        which = (group if "SegmentIdentificationSequence" in group else shared).SegmentIdentificationSequence
        number = which[0].ReferencedSegmentNumber
        counts[number] += int(np.count_nonzero(frame))
    return [counts[number] for number in numbers]
