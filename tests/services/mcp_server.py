"""A server of the Model Context Protocol by its Python SDK: Starlette, errors as JSON-RPC shaped on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import HEX_IDS, UUIDS, WEBSOCKET, Ask, Service

_JSON = {"Accept": "application/json, text/event-stream"}
_SESSION = {**_JSON, "Mcp-Session-Id": "<session>", "MCP-Protocol-Version": "2025-06-18"}
_HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}  # fmt: skip


def application(_folder: Path) -> Any:
    """Two tools and a resource."""
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("sample")

    @server.tool()
    def add(a: int, b: int) -> int:
        return a + b

    @server.tool()
    def fail() -> str:
        raise RuntimeError("the tool is broken")

    @server.resource("note://one")
    def note() -> str:
        return "a note"

    return server.streamable_http_app()


def _call(method: str, params: Any = None, number: int = 2) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}


SERVICE = Service(
    title="MCP server (Python SDK)",
    requirements=("mcp==2.3.0", "websockets"),
    framework="Starlette",
    packages=("starlette",),
    adapter="starlette",
    server="uvicorn",
    application=application,
    volatile=(UUIDS, HEX_IDS),
    asks=(
        Ask("session", "POST", "/mcp", json=_HELLO, headers=_JSON, keep={"session": "header:mcp-session-id"}),
        Ask("notification", "POST", "/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=_SESSION),
        Ask("list of tools", "POST", "/mcp", json=_call("tools/list"), headers=_SESSION),
        Ask("call of a tool", "POST", "/mcp", json=_call("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}), headers=_SESSION),
        Ask("tool that fails", "POST", "/mcp", json=_call("tools/call", {"name": "fail", "arguments": {}}), headers=_SESSION),
        Ask("unknown tool", "POST", "/mcp", json=_call("tools/call", {"name": "nope", "arguments": {}}), headers=_SESSION),
        Ask("unknown method of JSON-RPC", "POST", "/mcp", json=_call("nope/nope"), headers=_SESSION),
        Ask("resource", "POST", "/mcp", json=_call("resources/read", {"uri": "note://one"}), headers=_SESSION),
        Ask("ping", "POST", "/mcp", json=_call("ping"), headers=_SESSION),
        Ask("unknown route", "GET", "/nope"),
        Ask("HEAD of an unknown route", "HEAD", "/nope"),
        Ask("wrong method", "PUT", "/mcp", headers=_SESSION),
        Ask("OPTIONS", "OPTIONS", "/mcp"),
        Ask("malformed JSON", "POST", "/mcp", content=b'{"jsonrpc": ', headers={**_SESSION, "Content-Type": "application/json"}),
        Ask("no JSON-RPC", "POST", "/mcp", json={"hello": 1}, headers=_SESSION),
        Ask("body of another type", "POST", "/mcp", content=b"a=1", headers={**_SESSION, "Content-Type": "text/plain"}),
        Ask("not acceptable", "POST", "/mcp", json=_call("ping"), headers={**_SESSION, "Accept": "text/html"}),
        Ask("stream, not acceptable", "GET", "/mcp", headers={**_SESSION, "Accept": "application/json"}),
        Ask("no session", "POST", "/mcp", json=_call("tools/list"), headers=_JSON),
        Ask("unknown session", "POST", "/mcp", json=_call("tools/list"), headers={**_SESSION, "Mcp-Session-Id": "0" * 32}),
        Ask("unknown version of the protocol", "POST", "/mcp", json=_call("tools/list"), headers={**_SESSION, "MCP-Protocol-Version": "1999-01-01"}),
        Ask("forbidden host", "POST", "/mcp", json=_call("tools/list"), headers={**_SESSION, "Host": "evil.test"}),
        Ask("forbidden origin", "POST", "/mcp", json=_call("tools/list"), headers={**_SESSION, "Origin": "http://evil.test"}),
        Ask("body too large", "POST", "/mcp", content=b" " * 5_000_000, headers={**_SESSION, "Content-Type": "application/json"}),
        Ask("websocket", "GET", "/mcp", headers=WEBSOCKET),
        Ask("end of the session", "DELETE", "/mcp", headers=_SESSION),
        Ask("session that has ended", "POST", "/mcp", json=_call("ping"), headers=_SESSION),
    ),
)  # fmt: skip
