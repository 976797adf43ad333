"""Every table of the records database, those of the audit log included."""

from __future__ import annotations

from nerve_core.access import audit
from nerve_core.records import models
from nerve_core.records.base import Base

METADATA = Base.metadata
"""Complete once this module is imported."""

__all__ = ["METADATA", "audit", "models"]
