"""What is done with the records as a whole: erase, hand out, agree, check, lock anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nerve_core.access import audit
from nerve_core.files import sync_folder
from nerve_core.records import agreement, backup, copies, corrections, erasure, reading, upkeep
from nerve_core.records.acting import Acting
from nerve_core.records.errors import NotFound, spoken
from nerve_core.records.models import HandoutRow


class Keeping(Acting):
    """The part of :class:`nerve_core.records.records.Records` for whole patients and whole archives."""

    def erase(self, patient: str) -> erasure.Erased:
        """Erase a patient for good: rows, files that nobody else's scan is in, everything derived.

        Returns:
            What was erased, and what remains in backups and in weights; show its ``notice``.

        Raises:
            NotFound: there is no such patient.
        """
        with self._writing("erase", patient) as act:
            found = erasure.erase_rows(act.session, patient)
        with spoken():
            removed, left = erasure.remove_doomed(self.archive)
            emptied = erasure.scrub(self.archive)
        return erasure.Erased(files=removed, files_left=left, log_emptied=emptied, **found)

    def export(self, patient: str, target: Path) -> int:
        """Write everything of a patient into a ZIP: the copy a patient may ask for.

        Args:
            target: the ZIP's path.

        Returns:
            How many files of scans are in it.

        Raises:
            NotFound: there is no such patient.
            RecordsError: the actor has still to read one of the scans blinded, or the ZIP cannot be written.
        """
        with self._prepared("export", patient, copies.prepared, patient, target) as (done, staged):
            self._hand_out("export", patient, "copy", [patient], staged, target)
            return done

    def hand_over(self, scan: str, kind: str) -> None:
        """Log that something made of one scan leaves the records; call it before it is handed over.

        Args:
            scan: its identifier.
            kind: what it is, at most 16 characters, such as ``FHIR report``; an erasure names it.

        Raises:
            NotFound: there is no such scan.
        """
        with self._writing("export", scan) as act:
            patient = reading.scan_row(act.session, scan).patient_id
            act.session.add(HandoutRow(patient_id=patient, kind=kind, made_by=self.actor.name))

    def corrections(self, out: Path) -> corrections.Corrections:
        """Write the readers' outlines and conclusions as a set to train from, without identities.

        Args:
            out: folder to make.

        Raises:
            RecordsError: there is nothing to write, or the folder is taken or cannot be written.
        """
        with self._prepared("export corrections", "", corrections.prepared, out) as (done, patients, staged):
            self._hand_out("export corrections", "", corrections.SOURCE, patients, staged, out)
            return done

    def agreement(self, *, blinded_only: bool = False) -> agreement.Agreement:
        """How far second readings agree with first ones.

        Args:
            blinded_only: only second readings that were given blinded.
        """
        if self._nothing("statistics"):
            return agreement.agreement_of([])
        with self._reading("statistics") as act:
            pairs = agreement.reader_pairs(act.session, self.actor.name, blinded_only)
        return agreement.agreement_of(pairs)

    def model_agreement(self) -> agreement.Agreement:
        """How far first readings agree with what the model had said last; readers had seen it."""
        if self._nothing("statistics"):
            return agreement.agreement_of([])
        with self._reading("statistics") as act:
            pairs = agreement.model_pairs(act.session, self.actor.name)
        return agreement.agreement_of(pairs)

    def verify(self, *, tidy: bool = False, expect: str = "") -> upkeep.Health:
        """Check the database, every stored file and the audit log.

        Args:
            tidy: take away what broken-off runs left: half-written files, and files that belong to no scan.
            expect: head of the audit log noted before, which it must still hold; see ``Health.head``.
        """
        if self._nothing("verify"):
            return upkeep.Health(0, 0, "", ())
        with self._noted("verify", ""), spoken():
            problems = upkeep.check_database(self.archive)
            files, found = upkeep.check_files(self.archive, tidy)
            if tidy:
                erasure.remove_doomed(self.archive)
            with self.archive.reading() as session:
                head = audit.head(session)
                entries = audit.count(session)
                broken = [upkeep.Problem(upkeep.LOG, said) for said in audit.verify(session, expect)]
        self._log("verify")
        return upkeep.Health(files, entries, head, (*problems, *found, *broken))

    def rotate_key(self, *, new_key: bool = True, drop_old: bool = False) -> tuple[int, int]:
        """Lock every file under a new key, or bring what a broken-off run left over to the last one.

        Args:
            new_key: make a new key first.
            drop_old: take older keys out of the key file afterwards. Backups made before need them: keep a
                copy.

        Returns:
            How many files were locked anew, and how many keys were taken out.
        """
        self._allow("rotate key", "")
        with self._noted("rotate key", ""), spoken():
            done = upkeep.rotate(self.archive, new_key)
            dropped = upkeep.drop_old_keys(self.archive) if drop_old else 0
        self._log("rotate key")
        return done, dropped

    def back_up(self, out: Path) -> backup.BackedUp:
        """Copy the records into a folder, or bring an earlier copy there up to date.

        Raises:
            RecordsError: the folder is within the records, or cannot be written.
        """
        with self._writing("back up"):
            pass  # logged before the copy is made, so that the copy holds it
        with self._noted("back up", ""), spoken():
            return backup.back_up(self.archive, out)

    def migrate(self) -> tuple[str | None, str]:
        """Make the database's tables, or bring them up to date; a newer version's are left alone.

        Returns:
            The version before, None for an empty database, and the version now.
        """
        self._allow("back up", "")
        done = self.archive.migrate()
        self._log("back up")
        return done

    def stats(self) -> upkeep.Stats | None:
        """How much the records hold; None where nothing was ever saved."""
        if self._nothing("statistics"):
            return None
        with self._reading("statistics") as act:
            return upkeep.stats_of(act.session, self.archive)

    @contextmanager
    def _prepared(self, action: str, subject: str, prepare: Callable[..., Any], *about: Any) -> Iterator[Any]:
        """What is to be handed out, written beside its place; what goes wrong before is logged."""
        self._allow(action, subject)
        with ExitStack() as stack:
            with self._noted(action, subject), spoken():
                if not self.archive.exists:
                    raise NotFound("Nothing is saved in the records yet.")
                made = stack.enter_context(prepare(self.archive, *about, self.actor.name))
            yield made

    def _hand_out(
        self, action: str, subject: str, kind: str, patients: Sequence[str], staged: Path, target: Path
    ) -> None:
        """Log that data of patients leaves the records, and put it in its place."""
        with self._writing(action, subject) as act:
            act.session.add_all(
                HandoutRow(patient_id=one, kind=kind, made_by=self.actor.name) for one in patients
            )
            act.session.flush()
            if target.is_dir():
                target.rmdir()
            staged.replace(target)
            sync_folder(target.parent)
