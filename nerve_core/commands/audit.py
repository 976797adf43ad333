"""``audit``: check and show the log of who did what in the records."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive

HELP = "check and show the log of who did what"

_VERIFY = "check every link of the log's chain; exit status 1 when one is broken"
_SHOW = "print entries, the latest last"
_HEAD = "NUMBER:HASH of an entry, as verify prints it: keep it where nobody who runs the database can write"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two subcommands: ``verify`` and ``show``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help=_VERIFY, description=_VERIFY)
    verify.add_argument("--expect", default="", metavar="HEAD", help=_HEAD)
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(act=_verify)
    show = actions.add_parser("show", help=_SHOW, description=_SHOW)
    show.add_argument("--last", type=_positive, metavar="N", help="only the latest N entries")
    show.add_argument("--actor", default="", metavar="NAME", help="only those by this name")
    show.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="ID",
        help="only those about this record (again for more)",
    )
    show.add_argument("--json", action="store_true", help="print one JSON object a line")
    show.set_defaults(act=_show)


def run(args: argparse.Namespace) -> int:
    """Do it as whoever may use this machine: they have the database in any case."""
    from nerve_core.records.archive import get_archive

    archive = get_archive()
    if not archive.exists:
        print("Nothing was ever saved in the records, so there is no audit log yet.", file=sys.stderr)
        return 1 if getattr(args, "expect", "") else 0
    return args.act(archive, args)


def _verify(archive: Archive, args: argparse.Namespace) -> int:
    from nerve_core.access import audit
    from nerve_core.access.roles import LOCAL, require

    require(LOCAL, "verify")
    with archive.reading() as session:
        broken, count, head = audit.verify(session, args.expect), audit.count(session), audit.head(session)
    with archive.writing() as session:
        audit.append(session, LOCAL, "verify", outcome=audit.FAILED if broken else audit.DONE)
    if args.json:
        print(json.dumps({"whole": not broken, "entries": count, "head": head, "broken": broken}))
        return 1 if broken else 0
    for sentence in broken:
        print(sentence)
    state = "The audit log is broken" if broken else "The audit log is whole"
    print(f"{state}: {count} entries checked.\nHead: {head}")
    return 1 if broken else 0


def _show(archive: Archive, args: argparse.Namespace) -> int:
    from nerve_core.access import audit
    from nerve_core.access.roles import LOCAL, require

    require(LOCAL, "read audit")
    with archive.writing() as session:
        audit.append(session, LOCAL, "read audit")
    with archive.reading() as session:
        for entry in audit.entries(session, last=args.last, subjects=args.subject, actor=args.actor):
            if args.json:
                print(json.dumps(vars(entry), ensure_ascii=False))
            else:
                who = f"{entry.actor} ({entry.role})" if entry.role else entry.actor
                about = entry.subject or "-"
                print(f"{entry.number}  {entry.time}  {who}  {entry.action}  {about}  {entry.outcome}")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
