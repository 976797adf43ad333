"""Errors whose message is written for the user: one sentence saying what is wrong and what to do."""


class NerveCoreError(Exception):
    """Base of every error whose text may be shown to a user as it stands."""


class ScanError(NerveCoreError):
    """A file that cannot be used as a scan (unreadable, empty, truncated, too large, not an image)."""


class RefusedScan(ScanError):
    """A readable picture that must not be judged (a colour photograph, a blank frame, not ultrasound).

    The verdict shown to the user is ``not assessable``, with this error's message as the reason.
    """


class DataError(NerveCoreError):
    """A manifest, folder or mask that cannot be used."""


class CheckpointError(NerveCoreError):
    """Weights that are missing, damaged or made for another version."""
