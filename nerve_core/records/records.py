"""The one door to the records: every method is permitted to the actor's role, done, and logged.

.. code-block:: python

    from nerve_core.access.roles import LOCAL
    from nerve_core.inference.review import Reading
    from nerve_core.records.records import About, Filter, Records

    records = Records(LOCAL)                     # the archive of the settings; the disk is not touched yet
    about = About(nerve="median", site="wrist", side="left")
    saved = records.save("P-017", content, scan, prediction, about, config=predictor.config)
    page = records.worklist(Filter(reviewed=False), size=25)    # Page[WorkItem], the most urgent first
    one = records.scan(saved.scan)               # SavedScan: predictions, sizes, reviews, comments
    records.review(one.id, Reading(agrees=True, reading="affected", contours=tuple(one.prediction.contours)))
    records.comment(one.patient, "Splint at night, back in three months.", scan=one.id)
    patient = records.patient(one.patient)       # Patient: visits, scans
    records.courses(patient.id)                  # area by nerve, site and side over the visits
    records.ask(one.id, "b@clinic.example", blinded=True)               # a second reading
    records.picture(one.id)                      # the frame as nerve_core.imaging.scan.Scan, to draw on

What is handed out are the plain values of :mod:`nerve_core.records.items`. Errors are
:class:`nerve_core.records.errors.RecordsError` (``NotFound``, ``FileAltered``) and ``AccessError``, each one
sentence for the user. A scan that the actor was asked to read blinded is handed out with ``hidden`` set and
without all that was said of it, until their own reading is saved.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select

from nerve_core.access.roles import LOCAL
from nerve_core.errors import NerveCoreError
from nerve_core.imaging.read import open_scan
from nerve_core.imaging.scan import Scan
from nerve_core.records import course, reading, review, saving, worklist
from nerve_core.records.errors import NotFound, RecordsError, spoken
from nerve_core.records.files import extension_of
from nerve_core.records.items import (
    Comment,
    Course,
    Found,
    Page,
    Patient,
    Request,
    Review,
    Saved,
    SavedScan,
    WorkItem,
)
from nerve_core.records.keeping import Keeping
from nerve_core.records.models import FileRow, PatientRow, ScanRow, SettingRow
from nerve_core.records.saving import About, FileFacts
from nerve_core.records.urgency import Alert, as_json
from nerve_core.records.worklist import NEWEST_FIRST, UNREAD_FIRST, Choices, Filter

if TYPE_CHECKING:
    from nerve_core.inference.prediction import Prediction
    from nerve_core.inference.review import Reading

__all__ = ["NEWEST_FIRST", "UNREAD_FIRST", "About", "Alert", "Cleaner", "Filter", "Records", "standard"]


class Cleaned(Protocol):
    """A de-identified file: its bytes, what was taken out, and what to look at still, in words."""

    data: bytes
    removed: Sequence[str]
    cautions: Sequence[str]


Cleaner = Callable[[bytes, str], Cleaned]
"""Makes a file safe to keep, from its bytes and its name."""


def standard(data: bytes, name: str) -> Cleaned:
    """The program's own profile, see :mod:`nerve_core.imaging.deidentify`."""
    from nerve_core.imaging.deidentify import deidentify

    return deidentify(data, name)


class Records(Keeping):
    """An actor at work in the records; cheap to make, one for each request or page.

    Args:
        actor: who acts, and in which role; the name stands beside what they save.
        archive: by default the one the settings name (``NERVE_RECORDS``, ``NERVE_DATABASE``,
            ``NERVE_RECORDS_KEY``).

    Raises:
        RecordsError: the settings name no archive that can be used.
    """

    def save(
        self,
        pseudonym: str,
        content: bytes,
        scan: Scan,
        prediction: Prediction | None = None,
        about: About | None = None,
        *,
        config: dict[str, Any] | None = None,
        click: tuple[float, float] | None = None,
        deidentify: Cleaner | None = standard,
    ) -> Saved:
        """Keep one frame of a file for a patient; saved again, it is known again and nothing is doubled.

        Args:
            pseudonym: of the patient, who is made where there is none.
            content: the file's bytes as they came.
            scan: the frame of it that was looked at, with the scale in force.
            prediction: what the model said; a different one is kept beside those saved before.
            about: nerve, site, side, day of the visit; a scale given here goes before the scan's own. What is
                not said keeps its place.
            config: of the weights, whole (``Predictor.config``).
            click: (x, y) px where the user pointed.
            deidentify: makes the bytes safe to keep; None keeps them as they came, if the site asks.

        Raises:
            RecordsError: the pseudonym, the scale, the day or the file cannot be used, or the disk is full.
        """
        from nerve_core.clinical.measure import measure

        self._allow("save", "")
        name = saving.checked_pseudonym(pseudonym)
        about = about or About()
        if about.spacing_mm is None:
            centre = prediction.nerves[0].centroid if prediction is not None and prediction.nerves else None
            spacing = scan.spacing_mm if centre is None else scan.spacing_at(centre[1], centre[0])
            about = replace(about, spacing_mm=spacing)
        cleaned = None if deidentify is None else deidentify(content, scan.name)
        kept = content if cleaned is None else cleaned.data
        self._check_readable(kept, scan)
        sizes = [] if prediction is None else [measure(scan, prediction, one) for one in prediction.nerves]
        with spoken(), self.archive.files.stage(kept) as staged:
            try:
                with self._writing("save") as act:
                    facts = FileFacts(
                        staged.sha256,
                        staged.size,
                        extension_of(kept),
                        hashlib.sha256(content).hexdigest(),
                    )
                    patient = saving.patient_of(act.session, name)
                    row, new = saving.save_scan(
                        act.session, patient, facts, scan.frame, scan.pixels.shape, about, self.actor.name
                    )
                    said = None
                    if prediction is not None:
                        said = saving.save_prediction(
                            act.session, row, prediction, sizes, config, click, self.actor.name
                        )
                    saving.refresh(act.session, row, saving.alerts_of(act.session))
                    elsewhere = saving.elsewhere(act.session, row)
                    act.subject = row.id
                    if row.sha256 == staged.sha256:
                        staged.put()
            except BaseException:
                self._take_back(staged.sha256)
                raise
        return Saved(
            scan=row.id,
            patient=patient.id,
            visit=row.visit_id,
            prediction=None if said is None else said.id,
            new=new,
            elsewhere=elsewhere,
            removed=() if cleaned is None else tuple(cleaned.removed),
            cautions=() if cleaned is None else tuple(cleaned.cautions),
        )

    def worklist(
        self, chosen: Filter | None = None, *, order: str = UNREAD_FIRST, page: int = 1, size: int = 25
    ) -> Page[WorkItem]:
        """One page of the scans that pass a filter; those still to be read blinded by the actor are left out.

        Args:
            chosen: narrows; None lists all.
            order: ``UNREAD_FIRST`` (then by urgency) or ``NEWEST_FIRST``.
            page: from 1.
            size: most scans a page, at most 500.
        """
        if self._nothing("read"):
            return Page((), 0, page, size)
        with self._reading("read") as act:
            return worklist.worklist(act.session, self.actor.name, chosen or Filter(), order, page, size)

    def search(self, text: str = "", *, page: int = 1, size: int = 25) -> Page[Found]:
        """Patients whose pseudonym holds a text, in alphabetical order; all of them for an empty text."""
        if self._nothing("read"):
            return Page((), 0, page, size)
        with self._reading("read") as act:
            return worklist.search(act.session, text, page, size)

    def choices(self) -> Choices:
        """Nerves, sites and reviewers that occur in the records, to filter by."""
        if self._nothing("read"):
            return Choices((), (), ())
        with self._reading("read") as act:
            return worklist.choices(act.session)

    def scan(self, scan: str, patient: str | None = None) -> SavedScan:
        """A scan with all that was said of it.

        Args:
            scan: its identifier.
            patient: identifier of whose it must be, where that is known.

        Raises:
            NotFound: there is none, or it is another patient's.
        """
        with self._reading("read", scan) as act:
            row = reading.scan_row(act.session, scan, patient)
            return reading.load_scans(act.session, [row], self.actor.name)[0]

    def identify(self, pseudonym: str) -> str:
        """Identifier of the patient with exactly this pseudonym.

        Raises:
            NotFound: there is none.
        """
        with self._reading("read") as act:
            known = select(PatientRow.id).where(PatientRow.pseudonym == pseudonym.strip())
            found = act.session.scalars(known).one_or_none()
            if found is None:
                raise NotFound(reading.NO_PATIENT)
            act.subject = found
            return found

    def patient(self, patient: str) -> Patient:
        """A patient with visits, scans and remarks.

        Raises:
            NotFound: there is none.
        """
        with self._reading("read", patient) as act:
            return reading.load_patient(act.session, patient, self.actor.name)

    def content(self, scan: str, patient: str | None = None) -> bytes:
        """The bytes of the scan's file, checked against what was saved.

        Raises:
            NotFound: there is no such scan, or it is another patient's.
            FileAltered: the file is missing, was altered, or its key is not there.
        """
        with self._reading("read", scan) as act:
            return self.archive.files.read(reading.scan_row(act.session, scan, patient).sha256)

    def picture(self, scan: str, patient: str | None = None) -> Scan:
        """The frame itself, with the scale that was recorded; errors as in ``content``."""
        with self._reading("read", scan) as act:
            return self._picture(reading.scan_row(act.session, scan, patient))

    def describe(self, scan: str, about: About, patient: str | None = None) -> None:
        """Correct the nerve, site, side, scale or day of a scan; what is not said stays.

        Sizes measured before keep the scale they were measured with.
        """
        with self._writing("save", scan) as act:
            row = reading.scan_row(act.session, scan, patient)
            saving.describe(act.session, row, about)
            saving.refresh(act.session, row, saving.alerts_of(act.session))

    def review(self, scan: str, said: Reading, patient: str | None = None) -> Review:
        """Keep the actor's reading of a scan; one of theirs before is superseded, never changed.

        The reader is the actor. Only where access is off, so that every actor is called the same, the name
        typed in the reading is taken. Whether the reading was blinded follows from the records alone.

        Raises:
            NotFound: there is no such scan.
            ContourError: an outline cannot be used.
        """
        from nerve_core.clinical.measure import measure_outline
        from nerve_core.inference.edited import check_contours

        self._allow("review", scan)
        typed = said.reviewer.strip()
        reviewer = typed[:254] if self.actor == LOCAL and typed else self.actor.name
        contours, sizes = [], []
        if said.contours:
            with self._noted("review", scan):
                picture = self._peek(scan, patient)
            contours = check_contours(said.contours, picture)
            sizes = [measure_outline(picture, one) for one in contours]
        with self._writing("review", scan) as act:
            row = reading.scan_row(act.session, scan, patient)
            kept = review.save_review(act.session, row, said, contours, sizes, reviewer)
            saving.refresh(act.session, row, saving.alerts_of(act.session))
            (whole,) = reading.load_scans(act.session, [row], reviewer)
            return next(one for one in whole.reviews if one.id == kept.id)

    def comment(self, patient: str, text: str, scan: str | None = None) -> Comment:
        """Keep a remark on a patient, or on one of their scans."""
        with self._writing("comment", scan or patient) as act:
            reading.patient_row(act.session, patient)
            if scan is not None:
                reading.scan_row(act.session, scan, patient)
            return reading.comment_of(review.remark(act.session, patient, scan, self.actor.name, text))

    def ask(self, scan: str, colleague: str, *, blinded: bool = True, patient: str | None = None) -> str:
        """Ask a colleague for a second reading.

        Args:
            scan: identifier.
            colleague: their actor's name.
            blinded: the colleague sees neither the model's verdict nor any reading of this scan until theirs
                is saved.
            patient: identifier of whose scan it must be, where that is known.

        Returns:
            Identifier of the request.
        """
        with self._writing("second reading", scan) as act:
            row = reading.scan_row(act.session, scan, patient)
            return review.ask(act.session, row, self.actor.name, colleague, blinded).id

    def requests(self, *, only_open: bool = True) -> tuple[Request, ...]:
        """Second readings the actor was asked for, or asked others for; latest first."""
        if self._nothing("read"):
            return ()
        with self._reading("read") as act:
            return review.requests(act.session, self.actor.name, only_open)

    def courses(self, patient: str) -> tuple[Course, ...]:
        """The area of each of a patient's nerves over the visits."""
        return course.courses(self.patient(patient))

    def compare(self, patient: str, before: str, after: str) -> tuple[course.Change, ...]:
        """What changed between two visits of a patient, by their identifiers."""
        return course.compare(self.patient(patient), before, after)

    def alerts(self) -> tuple[Alert, ...]:
        """The alerts the site set."""
        if self._nothing("read"):
            return ()
        with self._reading("read") as act:
            return saving.alerts_of(act.session)

    def set_alerts(self, alerts: Sequence[Alert]) -> int:
        """Set the site's alerts in place of those before, and bring the worklist up to date.

        Returns:
            For how many scans one of them sounds.
        """
        with self._writing("settings") as act:
            act.session.merge(SettingRow(name="alerts", value=as_json(saving.checked_alerts(alerts))))
            return saving.refresh_all(act.session, alerts)

    def _take_back(self, sha256: str) -> None:
        """Remove a file whose rows were not kept after all, unless somebody else's were."""
        with contextlib.suppress(RecordsError), self.archive.writing() as session:
            if session.get(FileRow, sha256) is None:
                self.archive.files.remove(sha256)

    def _peek(self, scan: str, patient: str | None) -> Scan:
        """The frame, for a step of an act that is logged as a whole."""
        if not self.archive.exists:
            raise NotFound(reading.NO_SCAN)
        with self.archive.reading() as session:
            return self._picture(reading.scan_row(session, scan, patient))

    def _picture(self, row: ScanRow) -> Scan:
        frame = open_scan(self.archive.files.read(row.sha256)).scan(row.frame)
        spacing = reading.spacing_of(row)
        if spacing is None:
            return frame
        return replace(frame, spacing_mm=spacing, calibrated=())

    @staticmethod
    def _check_readable(kept: bytes, scan: Scan) -> None:
        """What is kept must open again as the frame that was looked at."""
        try:
            shape = open_scan(kept).scan(scan.frame).pixels.shape
        except NerveCoreError as fault:
            raise RecordsError(f"The scan was not saved, since its file cannot be opened: {fault}") from fault
        if shape != scan.pixels.shape:
            raise RecordsError(
                f"The scan was not saved: its file shows {shape[1]} × {shape[0]} px, and the frame looked "
                f"at has {scan.pixels.shape[1]} × {scan.pixels.shape[0]}."
            )
