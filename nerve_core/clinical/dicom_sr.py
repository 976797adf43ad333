"""A scan's verdict and measurements as a DICOM structured report: TID 1500, Measurement Report (PS3.16).

One group for the picture (verdict, probability, source image) and a planar region (TID 1410) for each nerve
with its measurements, its verdict and its segment. The standing notice is a comment of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nerve_core import __version__
from nerve_core.clinical import dicom_codes as words
from nerve_core.clinical.dicom_seg import tracking_uid
from nerve_core.clinical.dicom_source import header_of, is_clip
from nerve_core.clinical.measure import Measurement, measure
from nerve_core.errors import DataError
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOTICE, Prediction

if TYPE_CHECKING:
    import highdicom as hd
    from pydicom import Dataset

SERIES_NUMBER = 9002


def report(
    source: Dataset, scan: Scan, prediction: Prediction, segments: Dataset | None = None
) -> hd.sr.ComprehensiveSR:
    """The structured report of one judged frame.

    Args:
        source: image of :func:`nerve_core.clinical.dicom_source.source_image`.
        scan, prediction: the frame and the answer.
        segments: its :func:`nerve_core.clinical.dicom_seg.segmentation`; needed where there are nerves.

    Raises:
        DataError: there are nerves and no segmentation.
    """
    import highdicom as hd

    if prediction.nerves and segments is None:
        raise DataError("The report refers to the segmentation of the nerves; make that first.")
    frames = [scan.frame + 1] if is_clip(source) else None
    name, _, version = prediction.model.rpartition(" ")
    algorithm = hd.sr.AlgorithmIdentification(name=f"nerve_core {name or version}", version=version or "0")
    image = hd.sr.SourceImageForMeasurementGroup(source.SOPClassUID, source.SOPInstanceUID, frames)
    verdict_key = (source.SOPInstanceUID, scan.frame, prediction.model)
    groups = [
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=hd.sr.TrackingIdentifier(words.uid_of("picture", *verdict_key), "Picture"),
            algorithm_id=algorithm,
            qualitative_evaluations=[_verdict(prediction.verdict)],
            measurements=_probability(prediction.p_affected),
            source_images=[image],
        )
    ]
    for number, nerve in enumerate(prediction.nerves):
        assert segments is not None
        groups.append(
            hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=hd.sr.TrackingIdentifier(
                    tracking_uid(source, scan, prediction, number), f"Nerve {number + 1}"
                ),
                referenced_segment=hd.sr.ReferencedSegmentationFrame(
                    sop_class_uid=segments.SOPClassUID,
                    sop_instance_uid=segments.SOPInstanceUID,
                    frame_number=number + 1,
                    segment_number=number + 1,
                    source_image=hd.sr.SourceImageForSegmentation(
                        source.SOPClassUID, source.SOPInstanceUID, frames
                    ),
                ),
                finding_type=words.NERVE,
                algorithm_id=algorithm,
                measurements=[
                    *_measurements(measure(scan, prediction, nerve)),
                    *_probability(nerve.p_affected),
                ],
                qualitative_evaluations=[_verdict(nerve.verdict)],
            )
        )
    device = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=words.uid_of("device", __version__, prediction.model),
            name=f"nerve_core {prediction.model}",
            manufacturer_name="nerve_core",
            model_name=f"nerve_core {__version__}",
        ),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=words.ULTRASOUND,
        imaging_measurements=groups,
        title=hd.sr.CodedConcept("126000", "DCM", "Imaging Measurement Report"),
        referenced_images=[header_of(source)],
    )
    for text in filter(None, (NOTICE, _remark(prediction))):
        comment = hd.sr.TextContentItem(words.COMMENT, text, relationship_type="CONTAINS")
        content[0].ContentSequence.append(comment)
    evidence = [header_of(source), *([segments] if segments is not None else [])]
    key = (*verdict_key, segments.SOPInstanceUID if segments is not None else "", scan.spacing_mm)
    made = hd.sr.ComprehensiveSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=words.uid_of("sr series", source.SeriesInstanceUID),
        series_number=SERIES_NUMBER,
        sop_instance_uid=words.uid_of("sr", *key),
        instance_number=scan.frame + 1,
        manufacturer="nerve_core",
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    _point_at_segments(made)
    made.SeriesDescription = "Nerve measurements, research use only"
    return made


def areas_mm2(made: Dataset) -> list[float]:
    """The areas, mm², that a report states, in its order of nerves."""
    import highdicom as hd

    found = []
    read = hd.sr.ComprehensiveSR.from_dataset(made)
    for group in read.content.get_planar_roi_measurement_groups():
        for one in group.get_measurements(name=words.MEASURED["area"][0]):
            if one.unit == words.UNITS["mm", "area"]:
                found.append(float(one.value))
    return found


def _point_at_segments(made: Dataset) -> None:
    """Refer to a segment by its number alone: a frame number beside it is not allowed (PS3.3 10.3)."""
    for item in made.get("ContentSequence", ()):
        for reference in item.get("ReferencedSOPSequence", ()):
            if "ReferencedSegmentNumber" in reference:
                reference.pop("ReferencedFrameNumber", None)
        _point_at_segments(item)


def _verdict(word: str) -> hd.sr.QualitativeEvaluation:
    import highdicom as hd

    return hd.sr.QualitativeEvaluation(name=words.VERDICT, value=words.VERDICTS[word])


def _probability(value: float | None) -> list[hd.sr.Measurement]:
    import highdicom as hd

    if value is None:
        return []
    return [hd.sr.Measurement(name=words.PROBABILITY, value=round(float(value), 4), unit=words.RATIO)]


def _measurements(sizes: Measurement) -> list[hd.sr.Measurement]:
    import highdicom as hd

    made = []
    for name, (code, kind) in words.MEASURED.items():
        value = float(getattr(sizes, name))
        if value == float("inf"):
            continue
        unit = words.UNITS.get((sizes.unit, kind), words.RATIO)
        made.append(hd.sr.Measurement(name=code, value=round(value, 4), unit=unit))
    return made


def _remark(prediction: Prediction) -> str:
    edited = "The outlines were corrected by a person." if prediction.edited else ""
    return " ".join(filter(None, (prediction.reason, edited)))
