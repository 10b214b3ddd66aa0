"""gradio: an interface for functions; FastAPI, mounted in an application as its documentation shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import HEX_IDS, HTTP_DATES, UUIDS, WEBSOCKET, Ask, Service, Volatile

_API = "/ui/gradio_api"


def application(_folder: Path) -> Any:
    """Two functions, one of them broken, under /ui."""
    import gradio
    from fastapi import FastAPI

    def add(a: float, b: float) -> float:
        return a + b

    def fail(a: float) -> float:
        raise RuntimeError("the function is broken")

    with gradio.Blocks() as blocks:
        first, second, result = gradio.Number(), gradio.Number(), gradio.Number()
        gradio.Button("add").click(add, [first, second], result, api_name="add", queue=False)
        gradio.Button("fail").click(fail, first, result, api_name="fail", queue=False)
    return gradio.mount_gradio_app(FastAPI(), blocks, path="/ui")


SERVICE = Service(
    title="gradio",
    requirements=("gradio==6.31.0", "websockets"),
    framework="FastAPI, mounted",
    packages=("fastapi", "starlette"),
    adapter="fastapi",
    server="uvicorn",
    application=application,
    environ={"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": "<folder>", "MPLCONFIGDIR": "<folder>"},
    volatile=(
        UUIDS, HEX_IDS, HTTP_DATES,
        Volatile("numbers of the application", r'"app_id":\d+'),
        Volatile("durations in s", r'"(?:duration|average_duration)":\d+\.\d+(?:e-\d+)?'),
        Volatile("addresses of objects", r"0x[0-9a-f]{8,}"),
        Volatile("folders named at random", r"[0-9a-f]{64}"),
    ),
    patience=120,
    asks=(
        Ask("page", "GET", "/ui/"),
        Ask("configuration", "GET", "/ui/config"),
        Ask("description of the API", "GET", f"{_API}/info"),
        Ask("start-up events", "GET", f"{_API}/startup-events"),
        Ask("theme", "GET", "/ui/theme.css"),
        Ask("robots", "GET", "/ui/robots.txt"),
        Ask("user", "GET", f"{_API}/user"),
        Ask("call of a function", "POST", f"{_API}/run/add", json={"data": [1, 2]}),
        Ask("upload", "POST", f"{_API}/upload", content=b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n', headers={"Content-Type": "multipart/form-data; boundary=x"}),
        Ask("CORS preflight", "OPTIONS", f"{_API}/run/add", headers={"Origin": "http://127.0.0.1", "Access-Control-Request-Method": "POST"}),
        Ask("unknown route", "GET", "/nope"),
        Ask("unknown route of the interface", "GET", "/ui/nope/nope"),
        Ask("unknown route of its API", "GET", f"{_API}/nope"),
        Ask("HEAD of an unknown route", "HEAD", f"{_API}/nope"),
        Ask("wrong method", "DELETE", f"{_API}/info"),
        Ask("wrong method of the page", "PUT", "/ui/"),
        Ask("OPTIONS", "OPTIONS", f"{_API}/info"),
        Ask("unknown function", "POST", f"{_API}/run/nope", json={"data": []}),
        Ask("unknown function, another origin", "POST", f"{_API}/run/nope", json={"data": []}, headers={"Origin": "http://a.test"}),
        Ask("function that fails", "POST", f"{_API}/run/fail", json={"data": [1]}),
        Ask("too few values", "POST", f"{_API}/run/add", json={"data": [1]}),
        Ask("malformed JSON", "POST", f"{_API}/run/add", content=b'{"data": ', headers={"Content-Type": "application/json"}),
        Ask("rejected body", "POST", f"{_API}/run/add", json={"data": "none"}),
        Ask("no body", "POST", f"{_API}/run/add"),
        Ask("queue, rejected body", "POST", f"{_API}/queue/join", json={"data": 1}),
        Ask("queue, unknown function", "POST", f"{_API}/queue/join", json={"data": [], "fn_index": 99, "session_hash": "s"}),
        Ask("file that is not allowed", "GET", f"{_API}/file=/etc/hostname"),
        Ask("unknown file", "GET", f"{_API}/file=nope.txt"),
        Ask("unknown asset", "GET", "/ui/assets/nope.js"),
        Ask("static file outside", "GET", "/ui/static/..%2f..%2froutes.py"),
        Ask("proxy to a stranger", "GET", f"{_API}/proxy=http://a.test/x"),
        Ask("unknown stream", "GET", f"{_API}/stream/s/1/1/playlist.m3u8"),
        Ask("unknown progress", "GET", f"{_API}/upload_progress?upload_id=nope"),
        Ask("upload of nothing", "POST", f"{_API}/upload", content=b"a=1", headers={"Content-Type": "text/plain"}),
        Ask("monitoring, switched off", "GET", "/ui/monitoring"),
        Ask("login, rejected body", "POST", "/ui/login"),
        Ask("unknown component", "GET", f"{_API}/custom_component/9/client/component/index.js"),
        Ask("websocket", "GET", "/ui/nope", headers=WEBSOCKET),
    ),
)  # fmt: skip
