"""``records``: look after saved patients: tables, checks, keys, erasure, copies, corrections."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nerve_core.records.records import Records

HELP = "look after saved patients: tables, checks, keys, erasure, copies, corrections to train from"

_MIGRATE = "make the database's tables, or bring those of an earlier version up to date (make a backup first)"
_VERIFY = "check the database, every stored file and the audit log; exit status 1 when something is wrong"
_ROTATE = "lock every stored file under a new key; broken off, it goes on with --finish"
_ERASE = "erase a patient for good: rows, files, everything derived"
_EXPORT = "write everything that is recorded of a patient into a ZIP"
_BACKUP = "copy the records into a folder of the same layout, or bring an earlier copy there up to date"
_CORRECTIONS = "write the readers' outlines and conclusions as a set to train from, without identities"
_AGREEMENT = "say how far readers agree with the model and with each other"
_STATS = "say how much the records hold"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that can be done with the records as a whole."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("migrate", help=_MIGRATE, description=_MIGRATE).set_defaults(act=_migrate)
    verify = actions.add_parser("verify", help=_VERIFY, description=_VERIFY)
    verify.add_argument(
        "--tidy", action="store_true", help="take away what broken-off runs left (an hour old, or older)"
    )
    verify.add_argument(
        "--expect",
        default="",
        metavar="HEAD",
        help="head of the audit log as noted before: it must still hold it",
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(act=_verify)
    rotate = actions.add_parser("rotate-key", help=_ROTATE, description=_ROTATE)
    rotate.add_argument("--finish", action="store_true", help="make no new key, use the last one")
    rotate.add_argument(
        "--drop-old",
        action="store_true",
        help="then take older keys out of the key file: keep a copy for backups",
    )
    rotate.set_defaults(act=_rotate)
    erase = actions.add_parser("erase", help=_ERASE, description=_ERASE)
    erase.add_argument("pseudonym", metavar="PSEUDONYM")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.set_defaults(act=_erase)
    export = actions.add_parser("export", help=_EXPORT, description=_EXPORT)
    export.add_argument("pseudonym", metavar="PSEUDONYM")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="the ZIP to write")
    export.set_defaults(act=_export)
    backup = actions.add_parser("backup", help=_BACKUP, description=_BACKUP)
    backup.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder, outside of the records"
    )
    backup.set_defaults(act=_backup)
    corrections = actions.add_parser("corrections", help=_CORRECTIONS, description=_CORRECTIONS)
    corrections.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    corrections.set_defaults(act=_corrections)
    agreement = actions.add_parser("agreement", help=_AGREEMENT, description=_AGREEMENT)
    agreement.add_argument("--blinded", action="store_true", help="only second readings given blinded")
    agreement.add_argument("--json", action="store_true", help="print JSON")
    agreement.set_defaults(act=_agreement)
    stats = actions.add_parser("stats", help=_STATS, description=_STATS)
    stats.add_argument("--json", action="store_true", help="print JSON")
    stats.set_defaults(act=_stats)


def run(args: argparse.Namespace) -> int:
    """Do it as whoever may use this machine: they have the files in any case."""
    from nerve_core.access.roles import LOCAL
    from nerve_core.records.records import Records

    return args.act(Records(LOCAL), args)


def _migrate(records: Records, args: argparse.Namespace) -> int:
    before, after = records.migrate()
    if before == after:
        print(f"The database is of version {after} already.")
    elif before is None:
        print(f"The tables are made, of version {after}.")
    else:
        print(f"The database was of version {before} and is now of version {after}.")
    return 0


def _verify(records: Records, args: argparse.Namespace) -> int:
    health = records.verify(tidy=args.tidy, expect=args.expect)
    if args.json:
        print(json.dumps(asdict(health) | {"sound": health.sound}))
    else:
        for problem in health.problems:
            print(f"{problem.kind}: {problem.said}{' Taken away.' if problem.tidied else ''}")
        state = "Everything is sound" if health.sound else "Something is wrong"
        print(f"{state}: {health.files} files and {health.entries} entries of the audit log checked.")
        print(f"Head of the audit log, to be noted elsewhere: {health.head}")
    return 0 if health.sound else 1


def _rotate(records: Records, args: argparse.Namespace) -> int:
    locked, dropped = records.rotate_key(new_key=not args.finish, drop_old=args.drop_old)
    print(
        f"{locked} files were locked anew." + (f" {dropped} older keys taken out." if args.drop_old else "")
    )
    return 0


def _erase(records: Records, args: argparse.Namespace) -> int:
    patient = records.identify(args.pseudonym)
    if not args.yes:
        print(
            f"Erase {args.pseudonym} for good? Type the pseudonym again: ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        if sys.stdin.readline().strip() != args.pseudonym.strip():
            print("Nothing was erased.", file=sys.stderr)
            return 1
    done = records.erase(patient)
    print(
        f"Erased: {done.scans} scans, {done.predictions} predictions, {done.reviews} readings, "
        f"{done.comments} comments, {done.files} files; {done.files_kept} files stay, since another "
        "patient's scan is in them."
    )
    if done.files_left:
        print(f"{done.files_left} files could not be removed from the disk yet; run `records verify --tidy`.")
    for day, kind in done.handouts:
        print(f"Data of this patient left the records on {day} ({kind}); tell whoever has it.")
    print(done.notice)
    return 0 if not done.files_left else 1


def _export(records: Records, args: argparse.Namespace) -> int:
    count = records.export(records.identify(args.pseudonym), args.out)
    print(f"{args.out}: everything that is recorded, with {count} files of scans.")
    return 0


def _backup(records: Records, args: argparse.Namespace) -> int:
    done = records.back_up(args.out)
    print(
        f"{args.out}: {done.files} files, {done.copied} of them new; {done.removed} files of erased "
        "patients left "
        "it. The key file is not in it: keep that elsewhere."
    )
    if not done.database:
        print("The database is on a PostgreSQL server: copy it with pg_dump.")
    return 0


def _corrections(records: Records, args: argparse.Namespace) -> int:
    done = records.corrections(args.out)
    print(
        f"{done.folder}: {done.images} images of {done.patients} patients, {done.corrected} with an outline "
        f"changed by hand. Train from it: python -m nerve_core train --manifest {done.folder}"
    )
    return 0


def _stats(records: Records, args: argparse.Namespace) -> int:
    found = records.stats()
    if args.json:
        print(json.dumps(None if found is None else asdict(found)))
    elif found is None:
        print("Nothing was saved yet.")
    else:
        for name, value in asdict(found).items():
            print(f"{name}: {value}")
    return 0


def _agreement(records: Records, args: argparse.Namespace) -> int:
    found = {
        "readers with the model": records.model_agreement(),
        "second readings with first": records.agreement(blinded_only=args.blinded),
    }
    if args.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}))
        return 0
    for title, one in found.items():
        print(f"{title}: {one.n} pairs, {one.patients} patients")
        for name, value in asdict(one).items():
            if name not in ("n", "patients") and value is not None:
                print(f"  {name}: {value}")
    return 0
