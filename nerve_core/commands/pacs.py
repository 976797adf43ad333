"""``pacs``: fetch scans from a hospital's archive, send results back, judge what a scanner sends."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nerve_core.pacs.settings import PacsSettings

HELP = "fetch scans from a hospital's archive, send results, judge what a scanner sends"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each service; the archive is that of the ``NERVE_PACS_*`` settings."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("echo", help="ask whether the archive is there").set_defaults(act=_echo)
    find = actions.add_parser("find", help="list studies")
    find.add_argument("--patient", default="", metavar="ID", help="patient's number; * stands for any text")
    find.add_argument("--date", default="", metavar="YYYYMMDD[-YYYYMMDD]", help="day or days of the study")
    find.set_defaults(act=_find)
    get = actions.add_parser("get", help="fetch a study's ultrasound")
    get.add_argument("study", metavar="STUDY_UID")
    get.add_argument("--series", default="", metavar="UID")
    get.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    get.set_defaults(act=_get)
    send = actions.add_parser("send", help="send DICOM files, such as segmentations and reports")
    send.add_argument("files", nargs="+", type=Path, metavar="FILE")
    send.set_defaults(act=_send)
    for name, meaning in (("listen", "judge what is sent to a port"), ("watch", "judge a folder's files")):
        action = actions.add_parser(name, help=meaning)
        if name == "watch":
            action.add_argument("folder", type=Path, metavar="DIR")
        action.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
        action.add_argument("--send", action="store_true", help="send each result to the archive")
        action.add_argument("--weights", metavar="NAME", help="which weights: research or open")
        action.set_defaults(act=_listen if name == "listen" else _watch)


def run(args: argparse.Namespace) -> int:
    """Do it; faults of the archive are one sentence and exit status 1."""
    from nerve_core.pacs.settings import pacs_settings

    return args.act(pacs_settings(), args)


def _echo(settings: PacsSettings, args: argparse.Namespace) -> int:
    from nerve_core.pacs import dimse
    from nerve_core.pacs.client import client

    if settings.url:
        client(settings).find(settings, PatientID="nobody-asks-for-this")
    else:
        dimse.echo(settings)
    print("The archive answers.")
    return 0


def _find(settings: PacsSettings, args: argparse.Namespace) -> int:
    from nerve_core.pacs.client import client

    keys = {"PatientID": args.patient, "StudyDate": args.date}
    found = client(settings).find(settings, **{name: value for name, value in keys.items() if value})
    for one in found:
        shown = (one.get(name, "") for name in ("StudyInstanceUID", "StudyDate", "PatientID"))
        print("\t".join(str(value) for value in shown))
    print(f"{len(found)} studies.", file=sys.stderr)
    return 0


def _get(settings: PacsSettings, args: argparse.Namespace) -> int:
    import io

    from nerve_core.files import write_whole
    from nerve_core.pacs.client import client

    args.out.mkdir(parents=True, exist_ok=True)
    for one in client(settings).get(settings, args.study, args.series):
        stream = io.BytesIO()
        one.save_as(stream, enforce_file_format=True)
        path = args.out / f"{one.SOPInstanceUID}.dcm"
        write_whole(path, stream.getvalue())
        print(path)
    return 0


def _send(settings: PacsSettings, args: argparse.Namespace) -> int:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    from nerve_core.errors import DataError
    from nerve_core.pacs.client import client

    try:
        datasets = [dcmread(path) for path in args.files]
    except InvalidDicomError:
        raise DataError("One of the files is not DICOM; only DICOM files can be sent.") from None
    client(settings).store(settings, datasets)
    print(f"{len(datasets)} sent.")
    return 0


def _listen(settings: PacsSettings, args: argparse.Namespace) -> int:
    from nerve_core.pacs.watch import receiving

    spool = args.out / "incoming"
    with receiving(settings, spool) as port:
        print(f"{settings.ae} receives at {settings.listen_host}:{port}; Ctrl-C ends it.", flush=True)
        return _judge(settings, args, spool, remove=True)


def _watch(settings: PacsSettings, args: argparse.Namespace) -> int:
    print(f"Watching {args.folder}; Ctrl-C ends it.", flush=True)
    return _judge(settings, args, args.folder, remove=False)


def _judge(settings: PacsSettings, args: argparse.Namespace, folder: Path, remove: bool) -> int:
    from nerve_core.inference.predictor import get_predictor
    from nerve_core.pacs.client import client
    from nerve_core.pacs.results import Results
    from nerve_core.pacs.watch import SETTLED, watch

    stop = Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    send = (lambda objects: client(settings).store(settings, objects)) if args.send else None
    results = Results(args.out, get_predictor(args.weights), send)
    settled = 0.0 if remove else SETTLED

    def told(outcome: Any) -> None:
        print(f"{outcome.digest[:16]} {outcome.word} {outcome.reason}".rstrip(), flush=True)

    watch(folder, results, stop, remove=remove, settled=settled, told=told)
    return 0
