"""moto's server: AWS for tests; one Flask application for each AWS service behind a WSGI dispatcher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import HTTP_DATES, TIMESTAMPS, UUIDS, Ask, Service, Volatile


def _signed(service: str, **more: str) -> dict[str, str]:
    credential = f"Credential=k/20260101/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0", **more}


def _table(action: str) -> dict[str, str]:
    return _signed(
        "dynamodb", **{"X-Amz-Target": f"DynamoDB_20120810.{action}", "Content-Type": "application/x-amz-json-1.0"}
    )


_S3, _SQS, _LAMBDA = (
    _signed("s3"),
    _signed("sqs", **{"Content-Type": "application/x-www-form-urlencoded"}),
    _signed("lambda"),
)
_TABLE = {
    "TableName": "t", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
}  # fmt: skip


def application(_folder: Path) -> Any:
    """What its command serves."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


SERVICE = Service(
    title="moto server",
    requirements=("moto[s3,dynamodb,server]==5.2.5", "gunicorn"),
    framework="Flask behind a dispatcher",
    packages=("flask", "werkzeug"),
    adapter="wsgi",
    server="gunicorn",
    application=application,
    environ={"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"},
    volatile=(
        UUIDS, TIMESTAMPS, HTTP_DATES,
        Volatile("request ids", r"\b[A-Za-z0-9]{52}\b"),
        Volatile("checksums of bodies with times", r"^\d{8,10}$"),
        Volatile("times in s since 1970", r"\b1[789]\d{8}(?:\.\d+)?\b"),
    ),
    asks=(
        Ask("create a bucket", "PUT", "/bucket-one", headers=_S3),
        Ask("put an object", "PUT", "/bucket-one/a.txt", content=b"hello", headers=_S3),
        Ask("get it", "GET", "/bucket-one/a.txt", headers=_S3),
        Ask("HEAD of it", "HEAD", "/bucket-one/a.txt", headers=_S3),
        Ask("list", "GET", "/bucket-one?list-type=2", headers=_S3),
        Ask("range", "GET", "/bucket-one/a.txt", headers={**_S3, "Range": "bytes=1-2"}),
        Ask("create a table", "POST", "/", json=_TABLE, headers=_table("CreateTable")),
        Ask("put an item", "POST", "/", json={"TableName": "t", "Item": {"k": {"S": "one"}}}, headers=_table("PutItem")),
        Ask("get the item", "POST", "/", json={"TableName": "t", "Key": {"k": {"S": "one"}}}, headers=_table("GetItem")),
        Ask("create a queue", "POST", "/", content=b"Action=CreateQueue&QueueName=q&Version=2012-11-05", headers=_SQS),
        Ask("unknown bucket", "GET", "/nope-nope?list-type=2", headers=_S3),
        Ask("unknown object", "GET", "/bucket-one/nope.txt", headers=_S3),
        Ask("HEAD of an unknown object", "HEAD", "/bucket-one/nope.txt", headers=_S3),
        Ask("conflict: bucket not empty", "DELETE", "/bucket-one", headers=_S3),
        Ask("malformed XML", "PUT", "/bucket-one?tagging", content=b"<not xml", headers=_S3),
        Ask("range not satisfiable", "GET", "/bucket-one/a.txt", headers={**_S3, "Range": "bytes=100-200"}),
        Ask("precondition failed", "GET", "/bucket-one/a.txt", headers={**_S3, "If-Match": '"nope"'}),
        Ask("no lifecycle", "GET", "/bucket-one?lifecycle", headers=_S3),
        Ask("rejected name", "PUT", "/A", headers=_S3),
        Ask("unknown table", "POST", "/", json={"TableName": "nope", "Key": {}}, headers=_table("GetItem")),
        Ask("conflict: same table", "POST", "/", json=_TABLE, headers=_table("CreateTable")),
        Ask("rejected key", "POST", "/", json={"TableName": "t", "Key": {"x": {"S": "1"}}}, headers=_table("GetItem")),
        Ask("condition failed", "POST", "/", json={"TableName": "t", "Item": {"k": {"S": "one"}}, "ConditionExpression": "attribute_not_exists(k)"}, headers=_table("PutItem")),
        Ask("malformed JSON", "POST", "/", content=b'{"TableName": ', headers=_table("GetItem")),
        Ask("unknown action", "POST", "/", json={}, headers=_table("Dance")),
        Ask("unknown queue", "POST", "/", content=b"Action=GetQueueUrl&QueueName=nope&Version=2012-11-05", headers=_SQS),
        Ask("action that is not there", "POST", "/", content=b"Action=Dance&Version=2012-11-05", headers=_SQS),
        Ask("unknown route", "GET", "/nope", headers=_LAMBDA),
        Ask("unknown function", "GET", "/2015-03-31/functions/nope", headers=_LAMBDA),
        Ask("wrong method", "PATCH", "/moto-api/", headers=_LAMBDA),
    ),
)  # fmt: skip
