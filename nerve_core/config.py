"""Settings in one place, each read from an environment variable of the same name in capitals."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What a site may set.

    Attributes:
        weights: which checkpoint to use (``NERVE_WEIGHTS``): ``research`` or ``open``.
        checkpoints: folder of the checkpoints (``NERVE_CHECKPOINTS``).
        samples: folder of the simulated sample scans (``NERVE_SAMPLES``).
        results: folder of measured benchmarks (``NERVE_RESULTS``), as the Data page shows them.
        device: ``cuda``, ``mps`` or ``cpu`` (``NERVE_DEVICE``); empty picks the best present.
        backend: ``torch`` or ``openvino`` (``NERVE_BACKEND``); empty picks the fastest present.
        upload_dir: where REST uploads are kept (``NERVE_UPLOAD_DIR``); None keeps nothing.
        max_upload_mb: largest file accepted, in MiB (``NERVE_MAX_UPLOAD_MB``).
        max_pixels: largest frame accepted, in px (``NERVE_MAX_PIXELS``).
        max_frames: most frames accepted in one file (``NERVE_MAX_FRAMES``).
        records: folder of saved patients' scans (``NERVE_RECORDS``); made at the first save, never before.
        database: of the records, as an SQLAlchemy URL (``NERVE_DATABASE``); empty is a file in that folder.
        records_key: file with the keys that lock the saved scans (``NERVE_RECORDS_KEY``); None locks none.
        accept_no_login: ``1`` serves other computers without a login (``NERVE_ACCEPT_NO_LOGIN``): whoever
            reaches the port may then do everything.
        oidc_url: the provider's ``.../.well-known/openid-configuration`` (``NERVE_OIDC_URL``); it, or an
            ``[auth]`` section in ``.streamlit/secrets.toml``, switches the login on.
        oidc_client_id, oidc_client_secret: as the provider gave them (``NERVE_OIDC_CLIENT_ID``, ...).
        oidc_redirect_uri: ``https://ADDRESS/oauth2callback`` (``NERVE_OIDC_REDIRECT_URI``).
        oidc_cookie_secret: signs the login's cookie (``NERVE_OIDC_COOKIE_SECRET``); empty makes one at each
            start, so that everybody signs in again after it.
        oidc_role_claim: claim that names the role, dots for nesting (``NERVE_OIDC_ROLE_CLAIM``).
        roles_file: TOML file that gives roles by e-mail and by claim (``NERVE_ROLES_FILE``).
        session_idle_min: minutes without a click until one must sign in again (``NERVE_SESSION_IDLE_MIN``).
        session_hours: hours until one must sign in again in any case (``NERVE_SESSION_HOURS``).
        aet: DICOM title of this program (``NERVE_AET``).
        pacs_host, pacs_port, pacs_aet: address and title of the hospital's archive
            (``NERVE_PACS_HOST``, ...).
        dicomweb: its DICOMweb address (``NERVE_DICOMWEB``); used instead where set.
        pacs_user, pacs_password: for DICOMweb (``NERVE_PACS_USER``, ``NERVE_PACS_PASSWORD``).
        pacs_tls_ca, pacs_tls_cert, pacs_tls_key: PEM files (``NERVE_PACS_TLS_CA``, ...).
        pacs_timeout: seconds to wait for the archive (``NERVE_PACS_TIMEOUT``).
        pacs_listen_host, pacs_listen_port: the receiving port (``NERVE_PACS_LISTEN_HOST``, ...).
        pacs_allowed: titles that may send to it, by commas (``NERVE_PACS_ALLOWED``); empty allows all.
    """

    weights: str = "research"
    checkpoints: Path = ROOT / "checkpoints"
    samples: Path = ROOT / "data" / "samples"
    results: Path = ROOT / "benchmarks" / "results"
    device: str = ""
    backend: str = ""
    upload_dir: Path | None = None
    max_upload_mb: int = 200
    max_pixels: int = 40_000_000
    max_frames: int = 1_000
    records: Path = ROOT / "data" / "records"
    database: str = ""
    records_key: Path | None = None
    accept_no_login: int = 0
    oidc_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_redirect_uri: str = ""
    oidc_cookie_secret: str = ""
    oidc_role_claim: str = "roles"
    roles_file: Path | None = None
    session_idle_min: float = 30
    session_hours: float = 10
    aet: str = "NERVECORE"
    pacs_host: str = ""
    pacs_port: int = 4242
    pacs_aet: str = "ORTHANC"
    dicomweb: str = ""
    pacs_user: str = ""
    pacs_password: str = ""
    pacs_tls_ca: Path | None = None
    pacs_tls_cert: Path | None = None
    pacs_tls_key: Path | None = None
    pacs_timeout: float = 10
    pacs_listen_host: str = "127.0.0.1"
    pacs_listen_port: int = 11112
    pacs_allowed: str = ""


def settings() -> Settings:
    """The settings in force now: the defaults, overridden by ``NERVE_*`` environment variables."""
    found: dict[str, object] = {}
    for name, default in Settings.__dataclass_fields__.items():
        text = os.environ.get(f"NERVE_{name.upper()}", "")
        if text:
            kind = default.type
            made = {"int": int, "float": float, "str": str}.get(kind, Path)
            found[name] = made(text)
    return Settings(**found)
