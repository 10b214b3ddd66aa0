"""Books: read, added, changed, taken away."""

from flask import Blueprint, abort, current_app, jsonify, request
from werkzeug.exceptions import BadRequest, Conflict, NotFound, UnsupportedMediaType

from lending.domain import ShelfFull

bp = Blueprint("books", __name__)

MAX_TITLE = 40
TOO_LONG = "The title is too long"


def find(number: int) -> dict:
    book = current_app.config["BOOKS"].get(number)
    if book is None:
        abort(404, "No such book")
    return book


@bp.get("/books/<int:number>")
def read(number: int):
    return find(number)


@bp.get("/books/by-title/<title>")
def by_title(title: str):
    for book in current_app.config["BOOKS"].values():
        if book["title"] == title:
            return book
    raise NotFound(f"No book is called {title}")


@bp.post("/books")
def add():
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400, description="The body is not an object")
    if "title" not in body:
        raise BadRequest("A title is needed")
    if not isinstance(body["title"], str):
        abort(422)
    if len(body["title"]) > MAX_TITLE:
        abort(422, TOO_LONG)
    titles = [book["title"] for book in current_app.config["BOOKS"].values()]
    if body["title"] in titles:
        raise Conflict("The book is there already")
    if len(titles) >= 5:
        raise ShelfFull
    number = max(current_app.config["BOOKS"]) + 1
    current_app.config["BOOKS"][number] = {"title": body["title"], "copies": 1}
    return {"number": number}, 201


@bp.delete("/books/<int:number>")
def remove(number: int):
    find(number)
    if any(book == number for book, _ in current_app.config["LOANS"]):
        return jsonify(error="The book is lent"), 409
    del current_app.config["BOOKS"][number]
    return "", 204


@bp.put("/books/<int:number>/copies")
def copies(number: int):
    book = find(number)
    try:
        count = int(request.args["count"])
    except KeyError:
        abort(400, "How many copies?")
    except ValueError as error:
        raise BadRequest("The count is not a number") from error
    if count < 0:
        abort(400, f"{count} copies cannot be")
    book["copies"] = count
    return book
