"""Loans: books that are out."""

from http import HTTPStatus

from flask import Blueprint, abort, current_app, request
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable, TooManyRequests

from lending.books import find
from lending.domain import LedgerClosed, OverdueFine, TeaTime
from lending.members import current, member

bp = Blueprint("loans", __name__)


@bp.post("/loans/<int:number>")
def lend(number: int):
    name = current()
    who = member(name)
    if who["blocked"]:
        abort(HTTPStatus.FORBIDDEN, "You are blocked")
    if (number, name) in current_app.config["LOANS"]:
        abort(HTTPStatus.CONFLICT, "You have it already")
    mine = [book for book, holder in current_app.config["LOANS"] if holder == name]
    if len(mine) >= who["limit"]:
        raise TooManyRequests("You have as many as you may", retry_after=3600)
    try:
        book = find(number)
        if book["copies"] < 1:
            abort(409, "All copies are out")
    except HTTPException:
        raise
    except Exception as error:
        raise InternalServerError("The book could not be read") from error
    book["copies"] -= 1
    current_app.config["LOANS"][number, name] = True
    return "", 201


@bp.delete("/loans/<int:number>")
def give_back(number: int):
    name = current()
    if (number, name) not in current_app.config["LOANS"]:
        abort(404, "You do not have it")
    if request.args.get("days", "0") > "30":
        raise OverdueFine("You owe 3.00")
    del current_app.config["LOANS"][number, name]
    current_app.config["BOOKS"][number]["copies"] += 1
    return "", 204


def written_down(text: str) -> None:
    """For the ledger. It is closed on Sundays."""
    if text == "sunday":
        raise LedgerClosed(text)
    if text == "flood":
        raise ServiceUnavailable(f"The cellar is under water: {text}")
    if text == "tea":
        raise TeaTime
    if text == "lost":
        abort(410, "The page is lost")


@bp.post("/ledger/<text>")
def ledger(text: str):
    written_down(text)
    return "", 201


@bp.post("/ledger/quiet/<text>")
def quietly(text: str):
    try:
        written_down(text)
    except HTTPException as error:
        return {"unwritten": error.description}
    return "", 201
