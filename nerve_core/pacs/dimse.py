"""The classic DICOM services as a client: C-ECHO, C-FIND, C-GET, C-STORE (PS3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom.uid import (
    JPEG2000,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    SegmentationStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from nerve_core.pacs.settings import PacsError, PacsSettings

IMAGE_CLASSES = (
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.3",
)
RESULT_CLASSES = (SegmentationStorage, ComprehensiveSRStorage)
SYNTAXES = (
    JPEG2000Lossless,
    JPEG2000,
    JPEGLSLossless,
    JPEGLosslessSV1,
    JPEGBaseline8Bit,
    RLELossless,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
ASKED = (
    "PatientID",
    "StudyDate",
    "StudyDescription",
    "StudyInstanceUID",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
)


def echo(settings: PacsSettings) -> None:
    """Ask whether the archive is there (C-ECHO).

    Raises:
        PacsError: it is not, or refuses.
    """
    with _association(settings, [(Verification, SYNTAXES[-2:])]) as one:
        _check(one.send_c_echo(), "the test of the connection")


def find(settings: PacsSettings, **keys: str) -> list[Dataset]:
    """Studies that match (C-FIND, study root).

    Args:
        keys: DICOM keywords and values to match, such as ``PatientID="4711"``; ``*`` stands for any text.

    Raises:
        PacsError: no answer, or a failure.
    """
    model = StudyRootQueryRetrieveInformationModelFind
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    for name in ASKED:
        setattr(query, name, "")
    for name, value in keys.items():
        setattr(query, name, value)
    found = []
    with _association(settings, [(model, SYNTAXES[-2:])]) as one:
        for status, answer in one.send_c_find(query, model):
            _check(status, "the search")
            if answer is not None:
                found.append(answer)
    return found


def get(settings: PacsSettings, study: str, series: str = "", instance: str = "") -> list[Dataset]:
    """Fetch ultrasound images and results of a study, series or single instance (C-GET).

    Raises:
        PacsError: no answer, or a failure; nothing found.
    """
    model = StudyRootQueryRetrieveInformationModelGet
    query = Dataset()
    query.QueryRetrieveLevel = "IMAGE" if instance else "SERIES" if series else "STUDY"
    query.StudyInstanceUID = study
    if series:
        query.SeriesInstanceUID = series
    if instance:
        query.SOPInstanceUID = instance
    received: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        received.append(dataset)
        return 0x0000

    classes = (*IMAGE_CLASSES, *RESULT_CLASSES)
    contexts = [(model, SYNTAXES[-2:]), *((kind, [one]) for kind in classes for one in SYNTAXES)]
    roles = [build_role(kind, scp_role=True) for kind in classes]
    options = {"ext_neg": roles, "evt_handlers": [(evt.EVT_C_STORE, keep)]}
    with _association(settings, contexts, **options) as one:
        for status, _ in one.send_c_get(query, model):
            _check(status, "the transfer")
    if not received:
        raise PacsError("The archive sent nothing: there is no such study, or it holds no ultrasound.")
    return received


def store(settings: PacsSettings, datasets: Sequence[Dataset]) -> None:
    """Send objects to the archive (C-STORE); all have arrived when this returns.

    Raises:
        PacsError: no answer, or one was refused.
    """
    kinds = {(str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in datasets}
    with _association(settings, [(kind, [syntax]) for kind, syntax in sorted(kinds)]) as one:
        for dataset in datasets:
            try:
                status = one.send_c_store(dataset)
            except ValueError:
                raise PacsError(
                    "The archive does not take objects of this kind or compression; ask its administrator."
                ) from None
            _check(status, "an object")


@contextmanager
def _association(
    settings: PacsSettings, contexts: Sequence[tuple[str, Sequence[str]]], **options: Any
) -> Iterator[Association]:
    ae = AE(ae_title=settings.ae)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = settings.timeout
    for kind, syntaxes in contexts:
        ae.add_requested_context(kind, list(syntaxes))
    tls = settings.tls()
    if tls is not None:
        options["tls_args"] = (tls, settings.host)
    try:
        one = ae.associate(settings.host, settings.port, ae_title=settings.remote_ae, **options)
    except (OSError, ValueError):
        raise PacsError("The address of the archive cannot be used; check NERVE_PACS_*.") from None
    if not one.is_established:
        raise PacsError(_why_not(one, settings))
    try:
        yield one
    finally:
        if one.is_established:
            one.release()


def _why_not(one: Association, settings: PacsSettings) -> str:
    place = f"{settings.host}:{settings.port}"
    answer = one.acceptor.primitive
    if getattr(answer, "result", None) not in (1, 2):  # neither for good nor for now
        if answer is not None:
            return f"The archive at {place} offers none of the services asked for; ask its administrator."
        return f"No DICOM archive answers at {place}; check the address, the port and whether it runs."
    reason = (getattr(answer, "result_source", None), getattr(answer, "diagnostic", None))
    if reason == (1, 7):
        return f"The archive at {place} is not called {settings.remote_ae!r}; set NERVE_PACS_AET."
    if reason == (1, 3):
        return f"The archive at {place} does not know {settings.ae!r}; have this title entered there."
    return f"The archive at {place} refused the connection; ask its administrator to allow {settings.ae!r}."


def _check(status: Dataset, what: str) -> None:
    """Pending (FF00, FF01), success (0000) and warnings (Bxxx) are fine; anything else is not."""
    if not status or "Status" not in status:
        raise PacsError(f"The archive broke off or gave no answer in time to {what}; try again.")
    code = int(status.Status)
    if code not in (0x0000, 0xFF00, 0xFF01, 0x0107, 0x0116) and code >> 12 != 0xB:
        raise PacsError(f"The archive refused {what} (status {code:04X}); ask its administrator.")
