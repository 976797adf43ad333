"""``access``: bearer tokens of the REST service, and who may do what."""

from __future__ import annotations

import argparse
import sys

HELP = "make, list and revoke bearer tokens of the REST service; show which role may do what"

_MAKE = "make a token: it is printed once, alone, on standard output, and only its hash is kept"
_REVOKE = "end a token now"
_LIST = "list every token there ever was"
_ROLES = "show which role may do what"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that can be done."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help=_MAKE, description=_MAKE)
    make.add_argument("name", metavar="NAME", help="of the program that will use it, such as gateway-1")
    make.add_argument("--role", required=True, metavar="ROLE", help="viewer, clinician, researcher or admin")
    make.add_argument("--days", type=int, default=90, help="how long it works (default: 90, at most 366)")
    make.set_defaults(act=_make)
    revoke = actions.add_parser("revoke", help=_REVOKE, description=_REVOKE)
    revoke.add_argument("name", metavar="NAME")
    revoke.set_defaults(act=_revoke)
    actions.add_parser("list", help=_LIST, description=_LIST).set_defaults(act=_list)
    actions.add_parser("roles", help=_ROLES, description=_ROLES).set_defaults(act=_roles)


def run(args: argparse.Namespace) -> int:
    """Do it as whoever may use this machine: they have the database in any case."""
    return args.act(args)


def _make(args: argparse.Namespace) -> int:
    from nerve_core.access import audit, tokens
    from nerve_core.access.roles import LOCAL, AccessError, Role
    from nerve_core.records.archive import get_archive

    if args.role not in set(Role):
        raise AccessError(f"There is no role {args.role}; the roles are {', '.join(Role)}.")
    with get_archive().writing() as session:
        token = tokens.make(session, args.name, Role(args.role), args.days)
        audit.append(session, LOCAL, "make token")
    print(token)
    print(f"It works for {args.days} days, as {args.role}. It is not kept: note it now.", file=sys.stderr)
    return 0


def _revoke(args: argparse.Namespace) -> int:
    from nerve_core.access import audit, tokens
    from nerve_core.access.roles import LOCAL
    from nerve_core.records.archive import get_archive

    with get_archive().writing() as session:
        tokens.revoke(session, args.name)
        audit.append(session, LOCAL, "revoke token")
    print(f"The token {args.name} works no more.")
    return 0


def _list(args: argparse.Namespace) -> int:
    from nerve_core.access import tokens
    from nerve_core.records.archive import get_archive
    from nerve_core.records.base import now

    archive = get_archive()
    if not archive.exists:
        print("There is no token.")
        return 0
    with archive.reading() as session:
        for row in tokens.listed(session):
            if row.revoked is not None:
                state = f"revoked {row.revoked:%Y-%m-%d}"
            else:
                state = f"{'works until' if row.expires > now() else 'ended'} {row.expires:%Y-%m-%d}"
            print(f"{row.name}  {row.role}  made {row.made:%Y-%m-%d}  {state}")
    return 0


def _roles(args: argparse.Namespace) -> int:
    from nerve_core.access.roles import ACTIONS, MEANS, Role

    print("\n".join(table(ACTIONS, MEANS, list(Role))))
    return 0


def table(actions: dict[str, frozenset[str]], means: dict[str, str], roles: list[str]) -> list[str]:
    """The matrix as lines of a Markdown table: an action a row, a role a column, then what it covers."""
    lines = [f"| action | {' | '.join(roles)} | covers |", "|---|" + ":-:|" * len(roles) + "---|"]
    for action, able in actions.items():
        marks = " | ".join("yes" if role in able else "-" for role in roles)
        lines.append(f"| {action} | {marks} | {means[action]} |")
    return lines
