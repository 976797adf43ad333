"""The login's cookie, read outside of a page.

Streamlit reads it for pages only. Its own functions verify the signature here, so that a cookie is taken here
if and only if pages take it; a test signs in with a browser and holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def claims_of(cookies: Mapping[str, str]) -> dict[str, Any] | None:
    """Claims of the ID token that signed somebody in; None without a login, or with a forged one.

    Args:
        cookies: of the request, by name.
    """
    from streamlit.auth_util import get_cookie_with_chunks
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        if value is None:
            return None
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1", "replace"))

    whole = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    if not whole:
        return None
    try:
        claims = json.loads(whole)
    except ValueError:
        return None
    return claims if isinstance(claims, dict) and claims.get("is_logged_in") is True else None
