"""The same services over HTTP: QIDO-RS, WADO-RS, STOW-RS (PS3.18)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset

from nerve_core.pacs.settings import PacsError, PacsSettings


def find(settings: PacsSettings, **keys: str) -> list[Dataset]:
    """Studies that match (QIDO-RS); as :func:`nerve_core.pacs.dimse.find`."""
    with _talking(settings) as client:
        answers = client.search_for_studies(search_filters=dict(keys), fields=["StudyDescription"])
    return [Dataset.from_json(one) for one in answers]


def get(settings: PacsSettings, study: str, series: str = "", instance: str = "") -> list[Dataset]:
    """Fetch a study, series or instance (WADO-RS), as it is stored."""
    anything = (("application/dicom", "*"),)
    with _talking(settings) as client:
        if instance:
            found = [client.retrieve_instance(study, series, instance, media_types=anything)]
        elif series:
            found = client.retrieve_series(study, series, media_types=anything)
        else:
            found = client.retrieve_study(study, media_types=anything)
    if not found:
        raise PacsError("The archive sent nothing: there is no such study.")
    return found


def store(settings: PacsSettings, datasets: Sequence[Dataset]) -> None:
    """Send objects (STOW-RS); all were taken when this returns."""
    with _talking(settings) as client:
        answer = client.store_instances(list(datasets))
    if answer.get("FailedSOPSequence"):
        raise PacsError("The archive did not take every object; ask its administrator.")


@contextmanager
def _talking(settings: PacsSettings) -> Iterator[DICOMwebClient]:
    session = requests.Session()
    session.trust_env = False  # no proxy of the environment sees patients
    if settings.user:
        session.auth = (settings.user, settings.password)
    if settings.ca is not None:
        session.verify = str(settings.ca)
    if settings.cert is not None:
        session.cert = (str(settings.cert), str(settings.key)) if settings.key else str(settings.cert)
    client = DICOMwebClient(settings.url, session=session, timeout=settings.timeout)
    client.set_http_retry_params(retry=False)
    try:
        yield client
    except requests.Timeout:
        raise PacsError("The archive gave no answer in time; try again.") from None
    except requests.exceptions.SSLError:
        raise PacsError("The archive's certificate is not trusted; check NERVE_PACS_TLS_CA.") from None
    except requests.ConnectionError:
        raise PacsError("No archive answers at NERVE_DICOMWEB; check it and whether it runs.") from None
    except requests.HTTPError as fault:
        code = fault.response.status_code if fault.response is not None else 0
        if code in (401, 403):
            raise PacsError("The archive refuses this user; check NERVE_PACS_USER and _PASSWORD.") from None
        if code == 404:
            raise PacsError("The archive has no such study, or NERVE_DICOMWEB is not its root.") from None
        raise PacsError(f"The archive answered with HTTP {code}; ask its administrator.") from None
    finally:
        session.close()
