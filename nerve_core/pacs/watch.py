"""A watched folder and a receiving port (Storage SCP): what a scanner puts there is judged."""

from __future__ import annotations

import hashlib
import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from nerve_core.config import settings as limits
from nerve_core.files import write_whole
from nerve_core.pacs.dimse import IMAGE_CLASSES, SYNTAXES
from nerve_core.pacs.results import Outcome, Results
from nerve_core.pacs.settings import PacsError, PacsSettings

SETTLED = 2.0
"""Seconds a file must not have changed before it is read: a scanner may still be writing it."""
OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0xA700, 0xC000
_log = logging.getLogger(__name__)


def sweep(
    folder: Path, results: Results, remove: bool = False, settled: float = SETTLED, seen: set | None = None
) -> list[Outcome]:
    """Judge every settled file of a folder and what lies under it, once.

    Args:
        folder: names that begin with a dot are left alone.
        results: where results go.
        remove: delete a file once its result, or the reason why there is none, is kept.
        settled: seconds since the last change.
        seen: files known from earlier sweeps; added to, so that they are not read again.
    """
    seen = set() if seen is None else seen
    outcomes = []
    for path in sorted(folder.rglob("*")):
        try:
            about = path.stat()
            if not path.is_file() or path.name.startswith("."):
                continue
            key = (path, about.st_size, about.st_mtime_ns)
            if key in seen or time.time() - about.st_mtime < settled:
                continue
            too_large = about.st_size > limits().max_upload_mb * 2**20
            data = b"" if too_large else path.read_bytes()
        except OSError:
            continue  # gone, or not to be read yet
        if too_large:
            seen.add(key)
            outcomes.append(Outcome("", "aside", "The file is larger than the limit."))
            continue
        outcomes.append(results.take(data))
        seen.add(key)
        if remove:
            path.unlink(missing_ok=True)
    return outcomes


def watch(
    folder: Path,
    results: Results,
    stop: Event,
    every: float = 2.0,
    remove: bool = False,
    settled: float = SETTLED,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> None:
    """Sweep until told to stop, and send what could not be sent before."""
    if not folder.is_dir():
        raise PacsError("The folder to watch does not exist; make it first.")
    seen: set = set()
    while True:
        try:
            for outcome in sweep(folder, results, remove, settled, seen):
                told(outcome)
            for fault in results.send_waiting():
                _log.warning("%s", fault)
        except OSError as fault:
            _log.warning("The results cannot be written (%s); trying again.", fault.strerror)
        if stop.wait(every):
            return


@contextmanager
def receiving(settings: PacsSettings, spool: Path) -> Iterator[int]:
    """A receiving port: what is sent there lies in ``spool``, complete, before it is acknowledged.

    Yields:
        The port, which is chosen by the system where the setting is 0.

    Raises:
        PacsError: the port is taken.
    """
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in spool.glob(".*.part"):  # never acknowledged: the sender sends it again
        left.unlink(missing_ok=True)

    def keep(event: evt.Event) -> int:
        if event.request.DataSet is None:
            return CANNOT_UNDERSTAND
        try:
            data = _as_file(event)
            write_whole(spool / f"{hashlib.sha256(data).hexdigest()}.dcm", data)
        except OSError:
            return OUT_OF_RESOURCES
        except Exception as fault:
            _log.warning("A received object cannot be used (%s).", type(fault).__name__)
            return CANNOT_UNDERSTAND
        return 0x0000

    ae = AE(ae_title=settings.ae)
    ae.maximum_associations = 20
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = max(30.0, settings.timeout)
    ae.require_called_aet = True
    ae.require_calling_aet = list(settings.allowed)
    ae.add_supported_context(Verification)
    for kind in IMAGE_CLASSES:
        ae.add_supported_context(kind, list(SYNTAXES))
    handlers = [(evt.EVT_C_STORE, keep), (evt.EVT_C_ECHO, lambda event: 0x0000)]
    place = (settings.listen_host, settings.listen_port)
    try:
        server = ae.start_server(
            place, block=False, evt_handlers=handlers, ssl_context=settings.tls(server=True)
        )
    except OSError:
        raise PacsError(f"Port {place[1]} of {place[0]} cannot be used; choose another.") from None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def _as_file(event: evt.Event) -> bytes:
    """The object as a file: what was sent, byte for byte, after a preamble and file header."""
    from pydicom.filewriter import write_file_meta_info

    stream = io.BytesIO()
    stream.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(stream, event.file_meta)
    return stream.getvalue() + event.request.DataSet.getvalue()
