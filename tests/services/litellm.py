"""litellm's proxy: one front for many models; FastAPI, errors in OpenAI's shape by handlers for everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import EPOCHS, HEX_IDS, UUIDS, WEBSOCKET, Ask, Service, Volatile

_KEY = {"Authorization": "Bearer sk-loopback-only-7Jq2vX9mB4tLc8Rk3WzN"}
_CHAT = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
_CONFIGURATION = """\
model_list:
  - model_name: echo
    litellm_params: {model: openai/echo, api_key: none, mock_response: "It is noon."}
  - model_name: limited
    litellm_params: {model: openai/limited, api_key: none, mock_response: "litellm.RateLimitError"}
  - model_name: broken
    litellm_params: {model: openai/broken, api_key: none, mock_response: "litellm.InternalServerError"}
  - model_name: nowhere
    litellm_params: {model: openai/nowhere, api_key: none, api_base: "http://127.0.0.1:9/v1"}
litellm_settings: {num_retries: 0, telemetry: false}
router_settings: {num_retries: 0, disable_cooldowns: true}
general_settings: {master_key: sk-loopback-only-7Jq2vX9mB4tLc8Rk3WzN}
"""


def application(folder: Path) -> Any:
    """The module's own application; four models that need no provider."""
    (folder / "config.yaml").write_text(_CONFIGURATION)
    from litellm.proxy.proxy_server import app

    return app


SERVICE = Service(
    title="litellm proxy",
    requirements=("litellm[proxy]==1.108.7",),
    framework="FastAPI",
    packages=("fastapi", "starlette"),
    adapter="fastapi",
    server="uvicorn",
    application=application,
    environ={
        "CONFIG_FILE_PATH": "<folder>/config.yaml", "LITELLM_MASTER_KEY": "sk-loopback-only-7Jq2vX9mB4tLc8Rk3WzN", "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_DOCS": "False",
    },
    volatile=(
        UUIDS, HEX_IDS, EPOCHS,
        Volatile("durations in ms", r"^\d+\.\d+(?:e-\d+)?$"),
        Volatile("times in s since 1970", r'"created":\s*\d+'),
    ),
    patience=180,
    asks=(
        Ask("alive", "GET", "/health/liveliness"),
        Ask("models", "GET", "/v1/models", headers=_KEY),
        Ask("one model", "GET", "/v1/models/echo", headers=_KEY),
        Ask("model information", "GET", "/model/info", headers=_KEY),
        Ask("chat", "POST", "/v1/chat/completions", json=_CHAT, headers=_KEY),
        Ask("chat as a stream", "POST", "/v1/chat/completions", json={**_CHAT, "stream": True}, headers=_KEY),
        Ask("completion", "POST", "/v1/completions", json={"model": "echo", "prompt": "hello"}, headers=_KEY),
        Ask("token count", "POST", "/utils/token_counter", json=_CHAT, headers=_KEY),
        Ask("supported parameters", "GET", "/utils/supported_openai_params?model=openai/gpt-4o", headers=_KEY),
        Ask("unknown route", "GET", "/v1/nope", headers=_KEY),
        Ask("unknown route without a key", "GET", "/nope"),
        Ask("unknown route, another origin", "GET", "/nope", headers={"Origin": "http://a.test"}),
        Ask("HEAD of an unknown route", "HEAD", "/nope"),
        Ask("wrong method", "DELETE", "/v1/chat/completions", headers=_KEY),
        Ask("OPTIONS", "OPTIONS", "/v1/chat/completions"),
        Ask("no key: a crash, the client of its database is not installed", "POST", "/v1/chat/completions", json=_CHAT),
        Ask("wrong key", "POST", "/v1/chat/completions", json=_CHAT, headers={"Authorization": "Bearer sk-9"}),
        Ask("wrong scheme", "GET", "/v1/models", headers={"Authorization": "Basic dTpw"}),
        Ask("malformed JSON", "POST", "/v1/chat/completions", content=b'{"model": ', headers={**_KEY, "Content-Type": "application/json"}),
        Ask("no body", "POST", "/v1/chat/completions", headers=_KEY),
        Ask("no messages", "POST", "/v1/chat/completions", json={"model": "echo"}, headers=_KEY),
        Ask("no model", "POST", "/v1/chat/completions", json={"messages": []}, headers=_KEY),
        Ask("unknown model", "POST", "/v1/chat/completions", json={**_CHAT, "model": "nope"}, headers=_KEY),
        Ask("unknown model by its page", "GET", "/v1/models/nope", headers=_KEY),
        Ask("rate limit of the model", "POST", "/v1/chat/completions", json={**_CHAT, "model": "limited"}, headers=_KEY),
        Ask("failure of the model", "POST", "/v1/chat/completions", json={**_CHAT, "model": "broken"}, headers=_KEY),
        Ask("model that cannot be reached", "POST", "/v1/chat/completions", json={**_CHAT, "model": "nowhere"}, headers=_KEY),
        Ask("rejected body", "POST", "/utils/token_counter", json={"messages": "hello"}, headers=_KEY),
        Ask("rejected query", "GET", "/utils/supported_openai_params", headers=_KEY),
        Ask("key without a database", "POST", "/key/generate", json={}, headers=_KEY),
        Ask("users without a database", "GET", "/user/info", headers=_KEY),
        Ask("unknown file", "GET", "/v1/files/nope", headers=_KEY),
        Ask("websocket of an unknown route", "GET", "/v1/nope", headers=WEBSOCKET),
        Ask("websocket without a key", "GET", "/v1/realtime?model=echo", headers=WEBSOCKET),
    ),
)  # fmt: skip
