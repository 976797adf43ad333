"""Who looks at the pages: signing in and out, who is signed in, and the notice where nobody must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from nerve_core.access import audit
from nerve_core.access.login import Mode, actor_of, mode, name_of
from nerve_core.access.note import SIGN_IN, note
from nerve_core.access.roles import LOCAL, AccessError, Actor
from nerve_core.access.sessions import ENDED, SESSIONS
from nerve_core.config import settings
from nerve_core.errors import NerveCoreError
from nerve_core.inference.prediction import NOTICE

HERE_ONLY = (
    ":material/lock_open: No login: only this computer can open the dashboard, and whoever sits at it "
    "may do everything."
)
FOR_ALL = (
    "No login, and other computers are served: whoever reaches this address may see and do everything. This "
    "was accepted with NERVE_ACCEPT_NO_LOGIN; set up a login before a patient's scan is saved here."
)
WATCH_S = 15.0
"""Longest time, s, that a page stays in view after its login is over."""


def visitor() -> Actor | None:
    """Who looks at the page; None when they must sign in first: then show :func:`sign_in`, nothing else.

    A visit counts as a click, and the first of a login goes into the audit log.
    """
    try:
        if mode() is not Mode.LOGIN:
            return LOCAL
        claims = _claims()
        if claims is None or SESSIONS.over(claims) is not None:
            return None
        found = _logged(claims)
    except NerveCoreError:
        return None
    SESSIONS.use(claims)
    return found


def actor() -> Actor:
    """Who acts on this page, or in a part of it that is drawn alone.

    Raises:
        AccessError: the login is over and this is a widget's callback, which runs before the page is drawn
            anew; elsewhere such a login leads to the sign-in page.
    """
    if mode() is not Mode.LOGIN:
        return LOCAL
    claims = _claims()
    over = ENDED if claims is None else SESSIONS.over(claims)
    if claims is None or over is not None:
        st.rerun()  # does nothing in a callback
        raise AccessError(over)
    return actor_of(claims)


def sign_in() -> None:
    """The page of somebody who is not let in: why, and what to do."""
    st.title("Nerve ultrasound", anchor=False)
    st.write(NOTICE)
    try:
        mode()
    except NerveCoreError as fault:
        st.error(str(fault))
        return
    claims = _claims()
    if claims is None:
        st.write("Sign in to open the dashboard.")
    elif over := SESSIONS.over(claims):
        st.info(over)
    else:
        try:
            _logged(claims)
        except NerveCoreError as fault:
            st.error(str(fault))
        st.button("Sign out", on_click=st.logout)
        return
    # A form of the provider opens in this tab; a click that came before a session's end must not begin it.
    if st.button("Sign in", type="primary"):
        st.login()


def notice(who: Actor) -> None:
    """Who is signed in, with the way out; or that nobody is asked to. On every page."""
    kept = mode()
    if kept is Mode.LOCAL:
        st.caption(HERE_ONLY)
    elif kept is Mode.OPEN:
        st.warning(FOR_ALL)
    else:
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            # A name may hold what Markdown would take for a picture or a link, so it is shown as it stands.
            st.text(f"Signed in as {who.name} ({who.role})", width="content")
            st.button("Sign out", on_click=st.logout, type="tertiary", icon=":material/logout:")
        st.fragment(_watch, run_every=min(WATCH_S, settings().session_idle_min * 60 / 4))()


def _watch() -> None:
    """Takes the page away when its login is over, though nobody clicks; looking is no click."""
    claims = _claims()
    if claims is None or SESSIONS.over(claims) is not None:
        st.rerun()


def _logged(claims: Mapping[str, Any]) -> Actor:
    """Who this is; the first visit of a login is logged before anything is shown."""
    first = SESSIONS.is_new(claims)
    try:
        found = actor_of(claims)
    except AccessError:
        if first:
            note(name_of(claims), SIGN_IN, audit.REFUSED)
            SESSIONS.use(claims)
        raise
    if first:
        note(found, SIGN_IN)
    return found


def _claims() -> Mapping[str, Any] | None:
    """Claims of the ID token of whoever is signed in."""
    found = st.user.to_dict()
    return found if found.get("is_logged_in") is True else None
