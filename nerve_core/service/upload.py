"""Reading a multipart upload into memory, never beyond the size limit and never through a disk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from nerve_core.config import settings
from nerve_core.errors import NerveCoreError
from nerve_core.imaging.read import base_name
from nerve_core.service.judge import Point, RequestError, parse_frame, parse_point

_ENVELOPE = 64 * 1024
"""Bytes allowed for the form around the file: boundaries, headers and the other fields."""


class UploadTooLarge(NerveCoreError):
    """More bytes than ``settings().max_upload_mb``."""


class BadForm(NerveCoreError):
    """A body that is no multipart form, or one that ended too soon."""


@dataclass(frozen=True)
class Upload:
    """One request to judge a scan.

    Attributes:
        data: the file's bytes.
        name: base name the sender gave it.
        click: (x, y) px inside the nerve of interest, or None.
        frame: which frame of the file, from 0.
    """

    data: bytes
    name: str
    click: Point | None
    frame: int


class _InMemory(MultiPartParser):
    # The parent writes larger files to a temporary folder; patient images must not touch the disk.
    spool_max_size = 0
    max_part_size = _ENVELOPE


async def read_upload(request: Request) -> Upload:
    """Read ``file`` and the optional ``point`` and ``frame`` of a multipart request.

    Raises:
        UploadTooLarge: as soon as the limit is passed; what follows is not kept.
        BadForm: the body is not a multipart form.
        RequestError: a field is missing, repeated or unusable.
    """
    limit_mb = settings().max_upload_mb
    limit = limit_mb * 1024 * 1024
    too_large = UploadTooLarge(f"The file is larger than {limit_mb} MB, the most this service accepts.")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadForm("Send the scan as multipart/form-data with the field `file`.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit + _ENVELOPE:
        raise too_large

    parser = _InMemory(
        request.headers,
        _limited(request, limit + _ENVELOPE, too_large),
        max_files=4,
        max_fields=8,
        max_part_size=_ENVELOPE,
    )
    try:
        form = await parser.parse()
    except MultiPartException as fault:
        raise BadForm("The request is not a valid multipart form; send the field `file`.") from fault
    except ClientDisconnect as fault:
        raise BadForm("The upload ended before the whole file had arrived; send it again.") from fault
    try:
        file = _single(form, "file")
        if not isinstance(file, UploadFile):
            raise RequestError("The field `file` must hold the scan as a file with a name.")
        if (file.size or 0) > limit:
            raise too_large
        point = _text(form, "point")
        frame = _text(form, "frame")
        return Upload(
            data=await file.read(),
            name=base_name(file.filename or ""),
            click=parse_point(point) if point else None,
            frame=parse_frame(frame) if frame else 0,
        )
    finally:
        await form.close()


async def _limited(request: Request, limit: int, too_large: UploadTooLarge) -> AsyncGenerator[bytes]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise too_large
        yield chunk


def _single(form: FormData, field: str) -> UploadFile | str:
    values = form.getlist(field)
    if len(values) != 1:
        problem = "is missing" if not values else "occurs more than once"
        raise RequestError(f"The field `{field}` {problem}; send one scan a request.")
    return values[0]


def _text(form: FormData, field: str) -> str:
    if field not in form:
        return ""
    value = _single(form, field)
    if not isinstance(value, str):
        raise RequestError(f"The field `{field}` must be text, not a file.")
    return value.strip()
