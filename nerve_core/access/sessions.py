"""How long somebody who signed in stays in: a time without a click, and a time in any case.

The login itself is a signed cookie that Streamlit keeps for 30 days and never ends by itself, so the server
remembers when each one was last used and which were signed out. It does so in memory: after a restart, a
login older than the time without a click must be made again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from nerve_core.config import settings

IDLE = "You were signed out after {minutes} minutes without a click; sign in again."
OVER = "You were signed in for {hours} hours; sign in again."
ENDED = "You signed out; sign in again."

_SKEW_S = 120
"""How far the provider's clock may be ahead of ours, s."""


class Sessions:
    """Logins of this process; safe for threads.

    Args:
        clock: seconds since 1970, as the claim ``iat`` counts them.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def over(self, claims: Mapping[str, Any]) -> str | None:
        """Why a login counts no more, in a sentence; None while it does. Asking is no use of it."""
        chosen, now = settings(), self._clock()
        key, began = _key(claims), _began(claims)
        with self._lock:
            if key in self._ended:
                return ENDED
            if not now - chosen.session_hours * 3600 < began <= now + _SKEW_S:
                return OVER.format(hours=f"{chosen.session_hours:g}")
            if now - max(self._used.get(key, 0.0), began) > chosen.session_idle_min * 60:
                return IDLE.format(minutes=f"{chosen.session_idle_min:g}")
        return None

    def is_new(self, claims: Mapping[str, Any]) -> bool:
        """Whether this login was never used in this process."""
        with self._lock:
            return _key(claims) not in self._used

    def use(self, claims: Mapping[str, Any]) -> None:
        """Note that somebody clicked."""
        now = self._clock()
        with self._lock:
            self._used[_key(claims)] = now
            self._forget(now - settings().session_hours * 3600)

    def end(self, claims: Mapping[str, Any]) -> bool:
        """Sign out: the cookie counts no more, wherever it was copied to. Whether it counted until now."""
        counted = self.over(claims) is None
        with self._lock:
            self._ended[_key(claims)] = self._clock()
        return counted

    def _forget(self, before: float) -> None:
        """Drop what is older than any login may be; ``iat`` ends those by itself."""
        for store in (self._used, self._ended):
            for key in [key for key, used in store.items() if used < before - 2 * _SKEW_S]:
                del store[key]


def _key(claims: Mapping[str, Any]) -> str:
    """One login: who, with which provider, when, and the random number of that very login."""
    parts = [str(claims.get(name, "")) for name in ("iss", "sub", "iat", "nonce", "jti")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _began(claims: Mapping[str, Any]) -> float:
    try:
        return float(claims["iat"])
    except (KeyError, TypeError, ValueError):
        return 0.0


SESSIONS = Sessions()
"""Those of this process."""
