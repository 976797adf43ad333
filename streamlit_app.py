"""The dashboard and the REST service on one port, with one model in memory.

``streamlit run streamlit_app.py`` imports this file once to serve ``app`` and runs it again as the main
script for every page view.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st


def main() -> None:
    """Page settings, theme and navigation: runs before the page on every view."""
    from nerve_core.ui import access, session, theme

    st.set_page_config(page_title="Nerve ultrasound", page_icon=str(theme.ICON), layout="wide")
    theme.apply()
    visitor = access.visitor()
    page = st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/diagnose.py", title="Diagnose", icon=":material/frame_inspect:"),
            st.Page("pages/worklist.py", title="Worklist", icon=":material/checklist:"),
            st.Page("pages/patient.py", title="Patient", icon=":material/person:"),
            st.Page("pages/explain.py", title="Explain", icon=":material/psychology_alt:"),
            st.Page("pages/data.py", title="Data", icon=":material/dataset:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare:"),
            st.Page("pages/robustness.py", title="Robustness", icon=":material/shield:"),
            st.Page("pages/metrics.py", title="Metrics", icon=":material/monitoring:"),
            st.Page("pages/about.py", title="Model and limits", icon=":material/fact_check:"),
        ],
        position="top" if visitor else "hidden",
    )
    if visitor is None:
        access.sign_in()
        return
    access.notice(visitor)
    session.arrive(page.title)
    page.run()


if __name__ == "__main__":
    main()
else:
    from starlette.formparsers import MultiPartParser
    from starlette.middleware import Middleware
    from starlette.routing import Mount
    from streamlit.runtime.pages_manager import PagesManager

    from nerve_core.access.gate import Gate
    from nerve_core.access.start import checked
    from nerve_core.service.app import create_app
    from nerve_core.service.page_address import PageAddress
    from nerve_core.ui.model import warm_up

    # Uploads stay in memory: without this, files over 1 MB pass through a temporary file on disk.
    MultiPartParser.spool_max_size = 0

    # What st.navigation sets when it first runs. Until then Streamlit would take the folder pages/ for its
    # older kind of app, and a first visitor straight to /diagnose would get a page without theme and menu.
    PagesManager.uses_pages_directory = False

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        warm_up()
        yield

    app = st.App(
        __file__,
        secrets=checked(),
        routes=[Mount("/api", create_app())],
        middleware=[Middleware(Gate), Middleware(PageAddress)],
        lifespan=lifespan,
    )
