"""Patients by pseudonym, their scans, predictions, measurements and readings: kept, found, erased for good.

Everything goes through :class:`nerve_core.records.records.Records`.
"""
