"""Where the archive is, from the settings ``NERVE_PACS_*``, ``NERVE_AET`` and ``NERVE_DICOMWEB``."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from nerve_core.config import settings
from nerve_core.errors import NerveCoreError


class PacsError(NerveCoreError):
    """The archive cannot be reached, refuses, or answers with a failure; says what to do."""


@dataclass(frozen=True)
class PacsSettings:
    """One archive, and how this program is known to it.

    Attributes:
        ae: application entity title of this program (``NERVE_AET``).
        remote_ae: that of the archive (``NERVE_PACS_AET``).
        host, port: of the archive's DICOM service (``NERVE_PACS_HOST``, ``NERVE_PACS_PORT``).
        url: of its DICOMweb service (``NERVE_DICOMWEB``); used instead of host and port where set.
        user, password: for DICOMweb (``NERVE_PACS_USER``, ``NERVE_PACS_PASSWORD``).
        ca, cert, key: PEM files (``NERVE_PACS_TLS_CA``, ``_CERT``, ``_KEY``): with a CA, DICOM goes by TLS.
        timeout: seconds to wait for an answer (``NERVE_PACS_TIMEOUT``).
        listen_host, listen_port: of the receiving port (``NERVE_PACS_LISTEN_HOST``, ``_PORT``).
        allowed: titles that may send to it, separated by commas (``NERVE_PACS_ALLOWED``); empty allows all.
    """

    ae: str = "NERVECORE"
    remote_ae: str = "ORTHANC"
    host: str = "127.0.0.1"
    port: int = 4242
    url: str = ""
    user: str = ""
    password: str = ""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout: float = 10.0
    listen_host: str = "127.0.0.1"
    listen_port: int = 11112
    allowed: tuple[str, ...] = ()

    def tls(self, server: bool = False) -> ssl.SSLContext | None:
        """TLS as it is set, None without.

        Raises:
            PacsError: a certificate file cannot be used.
        """
        if self.ca is None:
            return None
        purpose = ssl.Purpose.CLIENT_AUTH if server else ssl.Purpose.SERVER_AUTH
        try:
            context = ssl.create_default_context(purpose, cafile=str(self.ca))
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError):
            raise PacsError("A certificate for the archive cannot be read; check NERVE_PACS_TLS_*.") from None
        if server:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def pacs_settings() -> PacsSettings:
    """The settings in force now.

    Raises:
        PacsError: a port or timeout is no number.
    """
    try:
        now = settings()
    except ValueError:
        raise PacsError("NERVE_PACS_PORT, _LISTEN_PORT and _TIMEOUT must be numbers; correct them.") from None
    return PacsSettings(
        ae=now.aet,
        remote_ae=now.pacs_aet,
        host=now.pacs_host or PacsSettings.host,
        port=now.pacs_port,
        url=now.dicomweb,
        user=now.pacs_user,
        password=now.pacs_password,
        ca=now.pacs_tls_ca,
        cert=now.pacs_tls_cert,
        key=now.pacs_tls_key,
        timeout=now.pacs_timeout,
        listen_host=now.pacs_listen_host,
        listen_port=now.pacs_listen_port,
        allowed=tuple(filter(None, (each.strip() for each in now.pacs_allowed.split(",")))),
    )


def configured() -> bool:
    """Whether the site named an archive, by ``NERVE_PACS_HOST`` or ``NERVE_DICOMWEB``."""
    now = settings()
    return bool(now.pacs_host or now.dicomweb)
