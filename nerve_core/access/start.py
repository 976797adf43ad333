"""What is checked of the access before the dashboard serves anybody."""

from __future__ import annotations

import sys
from typing import Any

from streamlit import config

from nerve_core.access.login import check_address, secrets_for_streamlit
from nerve_core.access.roles import AccessError


def checked() -> dict[str, Any]:
    """Streamlit's secrets, with the login of the settings.

    Raises:
        SystemExit: others would be served without a login, or the login is set up by half; the sentence that
            says so goes to standard error. Where another server listens than Streamlit's own, its address is
            not known here: :class:`nerve_core.access.gate.Gate` then refuses each request.
    """
    try:
        check_address(config.get_option("server.address"))
        return secrets_for_streamlit()
    except AccessError as fault:
        sys.exit(str(fault))
