"""The command line: ``python -m nerve_core COMMAND``, one command a module in ``nerve_core.commands``.

A command module has ``HELP: str``, ``add_arguments(parser)`` and ``run(args) -> int`` (the exit status),
and imports networks and readers only inside ``run``, so that help and usage errors come at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

import nerve_core
import nerve_core.commands
from nerve_core.errors import NerveCoreError


def command_names() -> list[str]:
    """Every command there is, in alphabetical order."""
    return sorted(part.name for part in pkgutil.iter_modules(nerve_core.commands.__path__))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``python -m nerve_core``; by default those of this process.

    Returns:
        0 when all went well, 1 when the command failed or a file could not be used, 130 when interrupted.
        Usage errors leave through ``SystemExit(2)``.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    names = command_names()
    if not words or words[0] not in names:
        _overview(names).parse_args(words)
        _overview(names).print_help(sys.stderr)
        return 2
    module = importlib.import_module(f"nerve_core.commands.{words[0]}")
    parser = argparse.ArgumentParser(prog=f"nerve_core {words[0]}", description=module.HELP)
    module.add_arguments(parser)
    # Files and options in any order, where the command says that it has no subcommands.
    parse = parser.parse_intermixed_args if getattr(module, "INTERMIXED", False) else parser.parse_args
    args = parse(words[1:])
    try:
        status = module.run(args)
        sys.stdout.flush()
        return status
    except NerveCoreError as fault:
        print(f"nerve_core: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nerve_core: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as fault:
        place = f"{fault.filename}: " if fault.filename else ""
        print(f"nerve_core: {place}{fault.strerror or fault}", file=sys.stderr)
        return 1


def _overview(names: list[str]) -> argparse.ArgumentParser:
    """Parser of the bare program: help, version, and the error for an unknown command."""
    modules: dict[str, ModuleType] = {
        name: importlib.import_module(f"nerve_core.commands.{name}") for name in names
    }
    width = max(map(len, names))
    parser = argparse.ArgumentParser(
        prog="nerve_core",
        description=nerve_core.__doc__,
        epilog="commands:\n" + "\n".join(f"  {name:<{width}}  {m.HELP}" for name, m in modules.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=nerve_core.__version__)
    parser.add_argument("command", choices=names, metavar="COMMAND", nargs="?")
    return parser


def reserve_stdout() -> None:
    """Keep standard output for this program's answers: what libraries write there goes to standard error.

    Native libraries write to file descriptor 1 behind Python's back, so the descriptor itself is turned
    away, and ``sys.stdout`` is given a copy of the real one.
    """
    answers = os.dup(1)
    os.dup2(2, 1)
    # A file name may hold bytes that are no text; it is shown escaped rather than ending the run.
    sys.stdout = os.fdopen(answers, "w", encoding=sys.stdout.encoding, errors="backslashreplace")
