"""The REST service, mounted at ``/api`` beside the pages and sharing their model."""

from __future__ import annotations

import logging
import os
import traceback
from typing import Any

import anyio
import anyio.to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

import nerve_core
from nerve_core.access import audit
from nerve_core.access.roles import AccessError, Actor
from nerve_core.config import settings
from nerve_core.errors import CheckpointError, NerveCoreError, RefusedScan, ScanError
from nerve_core.inference import predictor as predictors
from nerve_core.inference.prediction import NOT_ASSESSABLE, NOTICE
from nerve_core.records.errors import RecordsError
from nerve_core.service.caller import Callers, note_call, permitted
from nerve_core.service.judge import RequestError, judge
from nerve_core.service.schemas import ErrorAnswer, HealthAnswer, PredictionAnswer
from nerve_core.service.store import StorageError, store_upload
from nerve_core.service.upload import BadForm, Upload, UploadTooLarge, read_upload

_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[NerveCoreError], int], ...] = (
    (UploadTooLarge, 413),
    (RequestError, 422),
    (BadForm, 400),
    (ScanError, 400),
    (StorageError, 507),
    (CheckpointError, 503),
    (RecordsError, 503),
    (AccessError, 403),
)

_BEARER = HTTPBearer(auto_error=False, description="Made by an admin: python -m nerve_core access make NAME.")

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "PNG, JPEG, TIFF, BMP or DICOM ultrasound.",
                        },
                        "point": {
                            "type": "string",
                            "examples": ["120,80"],
                            "description": "x,y in px of the scan: a point inside the nerve of interest.",
                        },
                        "frame": {
                            "type": "integer",
                            "minimum": 0,
                            "default": 0,
                            "description": "Which frame of a multi-frame file, counted from 0.",
                        },
                    },
                }
            }
        },
    }
}


def create_app() -> FastAPI:
    """Build the service: ``POST /predict``, ``GET /health``, and its description at ``/docs``.

    Every answer is JSON; every refusal is ``{"error": one sentence}`` with a 4xx status, and 5xx is kept
    for faults of the service itself: weights missing (503), upload folder full (507), a defect (500).
    Where a login is set up, a bearer token is asked for everything but the health (401 without one, 403 where
    its role does not allow it), and every call goes into the audit log.
    The documentation page loads nothing from other machines.
    """
    app = FastAPIOffline(
        title="Nerve ultrasound",
        description=f"Outlines nerves in ultrasound scans and says whether they look affected. {NOTICE}",
        version=nerve_core.__version__,
        docs_url="/docs",
        redoc_url=None,
    )
    # More predictions at once than processors would only make each of them slower.
    workers = anyio.CapacityLimiter(max(2, os.cpu_count() or 1))
    app.add_middleware(Callers)
    app.add_exception_handler(NerveCoreError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_http)

    @app.post(
        "/predict",
        response_model=PredictionAnswer,
        openapi_extra=_FORM,
        dependencies=[Depends(_BEARER)],
        responses={
            400: {"model": ErrorAnswer, "description": "The file cannot be used as a scan."},
            401: {"model": ErrorAnswer, "description": "There is no bearer token, or it does not work."},
            403: {"model": ErrorAnswer, "description": "The token's role does not allow this."},
            413: {"model": ErrorAnswer, "description": "The file is larger than the limit."},
            422: {"model": ErrorAnswer, "description": "A field is missing or unusable."},
            507: {"model": ErrorAnswer, "description": "The configured upload folder cannot take the file."},
        },
    )
    async def predict(request: Request) -> Any:
        """Outline the nerves of one scan and say whether they look affected."""
        actor = await anyio.to_thread.run_sync(permitted, request, "predict")
        upload = await read_upload(request)
        return await _in_thread(_predict, upload, actor, limiter=workers)

    @app.get(
        "/health",
        response_model=HealthAnswer,
        responses={503: {"model": ErrorAnswer, "description": "The weights cannot be loaded."}},
    )
    async def health() -> Any:
        """Say whether the model is loaded, and which one."""
        return await _in_thread(_health)

    return app


async def _in_thread(task: Any, *args: Any, limiter: anyio.CapacityLimiter | None = None) -> JSONResponse:
    """Run a task beside the event loop; a defect is logged without its message, which may quote the scan."""
    try:
        answer = await anyio.to_thread.run_sync(task, *args, limiter=limiter)
    except NerveCoreError:
        raise
    except Exception as fault:
        where = "".join(traceback.format_tb(fault.__traceback__))
        _log.error("%s in the service\n%s", type(fault).__name__, where)
        return JSONResponse({"error": "The service failed on this request; its log says where."}, 500)
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _predict(upload: Upload, actor: Actor) -> dict[str, Any]:
    predictor = predictors.get_predictor()
    try:
        _, prediction = judge(predictor, upload.data, upload.name, upload.frame, upload.click)
        folder = settings().upload_dir
        if folder is not None:
            store_upload(upload.data, folder)
    except NerveCoreError:
        note_call(actor, "predict", audit.FAILED)
        raise
    note_call(actor, "predict")
    return prediction.to_dict(upload.name)


def _health() -> dict[str, Any]:
    predictor = predictors.get_predictor()
    return {
        "status": "ok",
        "model": f"{predictor.name} {predictor.version}",
        "device": str(predictor.device),
        "backend": str(predictor.backend),
        "notice": NOTICE,
    }


async def _refuse(request: Request, fault: Exception) -> JSONResponse:
    status = next((code for kind, code in _STATUS if isinstance(fault, kind)), 400)
    answer: dict[str, str] = {"error": str(fault)}
    if isinstance(fault, RefusedScan):
        answer["verdict"] = NOT_ASSESSABLE
    return JSONResponse(answer, status)


async def _refuse_http(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)
    sentence = {
        404: "There is nothing at this address; the service is described at /api/docs.",
        405: f"{request.method} is not possible here; the service is described at /api/docs.",
    }.get(fault.status_code, str(fault.detail))
    return JSONResponse({"error": sentence}, fault.status_code, headers=fault.headers)
