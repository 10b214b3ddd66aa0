"""datasette: a database as pages and JSON; an ASGI framework of its own, errors shaped on purpose."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from .service import Ask, Service, Volatile


def application(folder: Path) -> Any:
    """One small database, served as its command does it."""
    from datasette.app import Datasette

    path = folder / "shop.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("create table invoice (id integer primary key, customer text, total real)")
        connection.executemany(
            "insert into invoice values (?, ?, ?)", [(n, f"customer {n % 3}", n * 1.5) for n in range(1, 41)]
        )
    connection.close()
    service = Datasette(
        [str(path)], secret="0" * 64, metadata={"databases": {"shop": {"queries": {"all": "select * from invoice"}}}}
    )
    asyncio.run(service.invoke_startup())
    return service.app()


SERVICE = Service(
    title="datasette",
    requirements=("datasette==0.65.5",),
    framework="its own, ASGI",
    packages=("uvicorn",),
    adapter="asgi",
    server="uvicorn",
    application=application,
    volatile=(
        Volatile("durations in ms", r'(?:"query_ms": |took )\d+\.\d+'),
        Volatile("CSRF tokens", r"ds_csrftoken=[^;]+"),
    ),
    asks=(
        Ask("front page", "GET", "/"),
        Ask("database", "GET", "/shop"),
        Ask("table", "GET", "/shop/invoice"),
        Ask("table as JSON", "GET", "/shop/invoice.json?_size=5"),
        Ask("table as CSV", "GET", "/shop/invoice.csv?_size=max"),
        Ask("streamed CSV", "GET", "/shop/invoice.csv?_stream=1"),
        Ask("row", "GET", "/shop/invoice/7.json"),
        Ask("SQL", "GET", "/shop.json?sql=select+sum(total)+from+invoice"),
        Ask("stored query", "GET", "/shop/all.json"),
        Ask("HEAD", "HEAD", "/shop/invoice.json"),
        Ask("static file", "GET", "/-/static/app.css"),
        Ask("versions", "GET", "/-/settings.json"),
        Ask("redirect", "GET", "/shop/"),
        Ask("unknown route", "GET", "/-/nope"),
        Ask("unknown database", "GET", "/nope"),
        Ask("unknown database as JSON", "GET", "/nope.json"),
        Ask("unknown table as JSON", "GET", "/shop/nope.json"),
        Ask("unknown row", "GET", "/shop/invoice/999"),
        Ask("unknown row as JSON", "GET", "/shop/invoice/999.json"),
        Ask("HEAD of an unknown table", "HEAD", "/shop/nope.json"),
        Ask("wrong method", "PUT", "/shop/invoice.json"),
        Ask("wrong method, DELETE", "DELETE", "/"),
        Ask("OPTIONS", "OPTIONS", "/shop/invoice"),
        Ask("SQL with a mistake", "GET", "/shop.json?sql=selec"),
        Ask("SQL that writes", "GET", "/shop.json?sql=delete+from+invoice"),
        Ask("unknown column", "GET", "/shop/invoice.json?_sort=nope"),
        Ask("page size that is no number", "GET", "/shop/invoice.json?_size=many"),
        Ask("unknown facet", "GET", "/shop/invoice.json?_facet=nope"),
        Ask("post without a CSRF token", "POST", "/-/messages", content=b"message=hello", headers={"Content-Type": "application/x-www-form-urlencoded", "Cookie": "ds_actor=x"}),
        Ask("unauthorised", "GET", "/-/permissions"),
        Ask("unknown static file", "GET", "/-/static/nope.css"),
        Ask("static file outside", "GET", "/-/static/..%2f..%2fapp.py"),
        Ask("unknown format", "GET", "/shop/invoice.yaml"),
        Ask("database that may not be downloaded", "GET", "/nope.db"),
    ),
)  # fmt: skip
