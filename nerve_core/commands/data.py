"""``data``: list, add, check and split sets of scans, write pathology into them, or simulate them."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

HELP = "prepare sets of scans: list, add, check and split them, write pathology into them, or simulate them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that can be done with a set."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_sets(actions)
    pathology = actions.add_parser("pathology", help=_PATHOLOGY, description=_PATHOLOGY)
    pathology.add_argument(
        "--manifest", type=Path, required=True, metavar="FILE", help="CSV with the columns image, mask, group"
    )
    pathology.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    pathology.add_argument(
        "--seed", type=int, default=0, metavar="N", help="same seed, same images (default 0)"
    )
    pathology.set_defaults(act=_pathology)
    phantoms = actions.add_parser("phantoms", help=_PHANTOMS, description=_PHANTOMS)
    phantoms.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    phantoms.add_argument("--count", type=int, default=150, metavar="N", help="how many (default 150)")
    phantoms.add_argument(
        "--seed", type=int, default=100_000, metavar="N", help="same seed, same images (default 100000)"
    )
    phantoms.add_argument(
        "--site", action="append", default=[], metavar="SITE", help="repeat for several (default: every site)"
    )
    phantoms.add_argument(
        "--probe", default="any", metavar="KIND", help="linear, curved or any (default: any)"
    )
    phantoms.add_argument(
        "--sweeps", type=int, default=0, metavar="N",
        help="also write N sweeps as multi-frame DICOM with a TIFF mask each (default 0)",
    )  # fmt: skip
    phantoms.add_argument(
        "--size", default="384", metavar="PX", help="256, or height x width as in 256x320 (default 384)"
    )
    phantoms.set_defaults(act=_phantoms)


_LIST = "list the public nerve sets that are known, with their terms and where to get them"
_ADD = "add a set of the catalogue, or one of your own, as images, masks and a manifest"
_CHECK = "find what is wrong with a set; exit status 1 when something serious is"
_SPLIT = "divide a set into train, val and test by group, so that no patient is on two sides"
_PACK = "decode a set once into one folder that is read many times faster; as TFRecord too"
_PHANTOMS = "simulate scans of every site with their truth, half of them with pathology"
_PATHOLOGY = "write, for every scan with a contour, the original, one sham and one affected image"


def _add_sets(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    known = actions.add_parser("list", help=_LIST, description=_LIST)
    known.add_argument("--json", action="store_true", help="print JSON")
    known.set_defaults(act=_list)

    add = actions.add_parser("add", help=_ADD, description=_ADD)
    add.add_argument(
        "name", metavar="NAME", help="a name of the catalogue, or a new one for a set of your own"
    )
    add.add_argument(
        "--from",
        dest="source",
        metavar="PATH|URL",
        help="folder or archive; a set that may be downloaded needs none",
    )
    add.add_argument("--out", type=Path, metavar="DIR", help="folder to make (default data/NAME)")
    add.add_argument(
        "--layout", default="", metavar="KIND",
        help="folders, pairs, coco, labelme, dicom, images or manifest (default: found out)",
    )  # fmt: skip
    add.add_argument(
        "--group", default="", metavar="REGEX",
        help="searched in each file's path; its first bracket is the patient or sweep",
    )  # fmt: skip
    add.add_argument(
        "--nerve-label",
        action="append",
        default=[],
        metavar="LABEL",
        help="label of polygons that are nerves",
    )
    add.add_argument(
        "--nerve-value", type=int, metavar="N", help="level that is nerve in masks of several classes"
    )
    for fact in ("label", "nerve", "site", "device", "licence"):
        add.add_argument(f"--{fact}", default="", metavar="TEXT", help=f"{fact} of every scan of the set")
    add.set_defaults(act=_add)

    check = actions.add_parser("check", help=_CHECK, description=_CHECK)
    check.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="CSV, or a folder affected/ unaffected/"
    )
    check.add_argument(
        "--table-only", action="store_true", help="open no image: rows, groups, splits and labels"
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(act=_check)

    split = actions.add_parser("split", help=_SPLIT, description=_SPLIT)
    split.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="CSV, or a folder affected/ unaffected/"
    )
    split.add_argument("--out", type=Path, metavar="FILE", help="write a copy with the column split")
    split.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same split (default 0)")
    split.set_defaults(act=_split)

    pack = actions.add_parser("pack", help=_PACK, description=_PACK)
    pack.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="CSV with contours, or the folder of one"
    )
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    pack.add_argument("--tfrecord", action="store_true", help="write TFRecord files too, in DIR/tfrecord")
    pack.set_defaults(act=_pack)


def run(args: argparse.Namespace) -> int:
    """Run the chosen subcommand."""
    return args.act(args)


def _list(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from nerve_core.data.catalog import catalogue

    entries = catalogue().values()
    if args.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1, ensure_ascii=False))
        return 0
    for entry in entries:
        how = f"free to download: data add {entry.name}" if entry.download else f"by hand: {entry.by_hand}"
        print(f"{entry.name}: {entry.title}\n  {entry.what}")
        print(f"  {entry.images or 'unknown number of'} images; {entry.groups}")
        print(f"  licence: {entry.licence}\n  source: {entry.source}\n  cite: {entry.citation}\n  {how}")
        print(f"  {entry.notes}\n" if entry.notes else "")
    return 0


def _add(args: argparse.Namespace) -> int:
    from nerve_core.data.importers.plan import folder_for, plan_for
    from nerve_core.data.importers.write import add_set

    plan, terms = plan_for(args)
    out = args.out or folder_for(plan)
    print(terms, file=sys.stderr, flush=True)
    print(add_set(plan, out, _progress))
    print("Now look it over: python -m nerve_core data check", out, file=sys.stderr)
    return 0


def _check(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from nerve_core.data.check import check_rows, check_table
    from nerve_core.data.manifest import read_manifest

    rows = read_manifest(args.manifest, with_groups=False)
    if args.table_only:
        findings = check_table(rows)
    else:
        findings = check_rows(rows, lambda share: _progress("check", share))
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{'SERIOUS' if finding.serious else 'note'}  {finding.kind}: {finding.message}")
        print(f"{len(rows):,} rows checked, {len(findings)} findings.")
    return int(any(finding.serious for finding in findings))


def _split(args: argparse.Namespace) -> int:
    from nerve_core.data.manifest import read_manifest
    from nerve_core.data.split_file import counts, write_split
    from nerve_core.data.splits import assign

    rows = read_manifest(args.manifest)
    sides = assign(rows, args.seed)
    if args.out is not None:
        write_split(args.manifest, rows, sides, args.out)
    for line in counts(rows, sides):
        print(line)
    return 0


def _pack(args: argparse.Namespace) -> int:
    from nerve_core.data.packed_set import write_packed_set

    written = write_packed_set(args.manifest, args.out, args.tfrecord, _progress)
    print(f"{written:,} contoured scans and frames packed.", file=sys.stderr)
    print(args.out)
    return 0


def _progress(what: str, share: float) -> None:
    """A line that counts up, where someone is watching."""
    if sys.stderr.isatty():
        print(f"\r{what} {share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def _pathology(args: argparse.Namespace) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        from nerve_core.data.pathology.export import write_pathology_set

        write_pathology_set(args.manifest, args.out, seed=args.seed)
    print(args.out / "manifest.csv")
    return 0


def _phantoms(args: argparse.Namespace) -> int:
    from nerve_core.data.phantom_set import size_from, write_phantom_set

    made = write_phantom_set(
        args.out,
        args.count,
        args.seed,
        size_from(args.size),
        sites=args.site,
        probe=args.probe,
        sweeps=args.sweeps,
    )
    print(made)
    return 0
