"""``generate``: train a generator of scans, let it draw, and score what it draws."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from nerve_core.arguments import add_manifests, positive
from nerve_core.data.manifest import LABELS

HELP = "train generators of scans, sample from them and score them"

_SAMPLE = "write a set of generated scans with masks and a manifest"
_SCORE = "distance of generated scans from held-back real ones, and whether training scans are replayed"
_TRAIN = (
    "learn to make phantoms look real (one-sided, cycle), to paint scans for contours (paint), or to improve "
    "poor scans (enhance)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Subcommands of ``python -m nerve_core generate``."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    train = actions.add_parser("train", help=_TRAIN, description=_TRAIN)
    add_manifests(train, "real sets, and for a translation phantoms (column simulated 1)")
    train.add_argument(
        "--method", choices=["one-sided", "cycle", "paint", "enhance"], help="default: from the config"
    )
    train.add_argument(
        "--licence", choices=["open", "any"], default="any",
        help="open: only sets whose licence lets anyone use the generator (default: any, research use only)",
    )  # fmt: skip
    train.add_argument("--config", type=Path, metavar="FILE", help="settings as JSON")
    train.add_argument("--name", help="name of the run (default: from the config)")
    train.add_argument("--epochs", type=int, metavar="N", help="length (default: from the config)")
    train.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    train.add_argument("--out", type=Path, metavar="DIR", help="where it goes (default: runs/NAME)")
    train.set_defaults(act=_train)

    sample = actions.add_parser("sample", help=_SAMPLE, description=_SAMPLE)
    sample.add_argument("--generator", type=Path, required=True, metavar="DIR", help="what train wrote")
    add_manifests(
        sample,
        "what to translate or enhance, or whose contours to paint; real sets: the training side alone",
    )
    sample.add_argument("--out", type=Path, required=True, metavar="DIR", help="set to write")
    sample.add_argument("--count", type=positive, metavar="N", help="how many (default: one a row)")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="of the painter (default 0)")
    sample.add_argument("--label", choices=LABELS, default="", help="what to paint (default: both in turn)")
    sample.add_argument("--look", default="", metavar="SET", help="set the painter imitates (default: any)")
    sample.add_argument(
        "--back", action="store_true", help="translate scans to phantoms (a generator of method cycle)"
    )
    sample.set_defaults(act=_sample)

    score = actions.add_parser("score", help=_SCORE, description=_SCORE)
    score.add_argument(
        "--manifest", type=Path, nargs="+", action="extend", required=True, metavar="FILE",
        help="the real sets that the generator learned from",
    )  # fmt: skip
    score.add_argument("--generated", type=Path, required=True, metavar="FILE", help="what sample wrote")
    score.add_argument("--phantoms", type=Path, metavar="FILE", help="the phantoms, to compare with")
    score.add_argument(
        "--licence", choices=["open", "any"], default="any", help="as the generator was trained"
    )
    score.add_argument(
        "--side", type=positive, metavar="PX", help="long side to compare at (default: theirs)"
    )
    score.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as well")
    score.set_defaults(act=_score)


def run(args: argparse.Namespace) -> int:
    """Run the chosen subcommand."""
    return args.act(args)


def _train(args: argparse.Namespace) -> int:
    from nerve_core.generative.config import GenerateConfig
    from nerve_core.generative.run import RUNS, train_generator

    config = GenerateConfig.from_file(args.config) if args.config else GenerateConfig()
    given = {name: getattr(args, name) for name in ("name", "method", "epochs")}
    config = replace(config, **{name: value for name, value in given.items() if value is not None})
    folder = args.out or RUNS / config.name
    train_generator(args.manifest, config, args.licence, args.resume, folder)
    print(f"The generator is in {folder}.")
    return 0


def _sample(args: argparse.Namespace) -> int:
    from nerve_core.data.packed import pack
    from nerve_core.errors import DataError
    from nerve_core.generative.checkpoint import load_generator
    from nerve_core.generative.run import drawable_rows
    from nerve_core.generative.sampling import chosen, enhanced, painted, translated, write_set

    generator, config, about = load_generator(args.generator)
    if args.back and config.method != "cycle":
        raise DataError(f"A generator of method {config.method} knows no way back; use one of method cycle.")
    packed = chosen(pack(drawable_rows(args.manifest)), args.count)
    if config.method == "paint":
        drawn = painted(generator, packed, config, about, args.seed, args.label, args.look)
    elif config.method == "enhance":
        drawn = enhanced(generator, packed, config.side)
    else:
        way = generator["phantom" if args.back else "real"] if config.method == "cycle" else generator
        drawn = translated(way, packed, config.side)
    print(write_set(args.out, drawn, about))
    return 0


def _score(args: argparse.Namespace) -> int:
    from nerve_core.data.packed import pack
    from nerve_core.generative.run import CACHE, split_rows
    from nerve_core.generative.scores import packed_from, score, split_reals

    generated = packed_from([args.generated])
    phantoms = packed_from([args.phantoms]) if args.phantoms else None
    side = args.side or min(max(image.shape) for image in generated.images)
    reals = split_reals(pack(split_rows(args.manifest, args.licence), CACHE))
    text = json.dumps(score(reals, generated, phantoms, side), indent=1)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0
