"""Which way to talk to the archive."""

from __future__ import annotations

from types import ModuleType

from nerve_core.pacs.settings import PacsSettings


def client(settings: PacsSettings) -> ModuleType:
    """The module with ``find``, ``get`` and ``store``: DICOMweb where its address is set, else DIMSE."""
    from nerve_core.pacs import dimse, web

    return web if settings.url else dimse
