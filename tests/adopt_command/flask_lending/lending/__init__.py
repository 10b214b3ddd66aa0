"""A library that lends books: a Flask service as one finds it."""

from flask import Flask, jsonify

from lending import books, loans, members
from lending.domain import LedgerClosed, OverdueFine, ShelfFull


def create_app() -> Flask:
    """The application, with an empty library."""
    app = Flask(__name__)
    app.config["BOOKS"] = {1: {"title": "Emma", "copies": 1}, 2: {"title": "Middlemarch", "copies": 0}}
    app.config["MEMBERS"] = {"ada": {"limit": 1, "blocked": False}, "bob": {"limit": 0, "blocked": True}}
    app.config["LOANS"] = {}
    app.register_blueprint(books.bp)
    app.register_blueprint(loans.bp)
    app.register_blueprint(members.bp)

    @app.errorhandler(ShelfFull)
    def shelf_full(error):
        return jsonify(error="The shelf is full"), 409

    @app.errorhandler(OverdueFine)
    def overdue_fine(error):
        return jsonify(message=str(error)), 402

    @app.errorhandler(LedgerClosed)
    def ledger_closed(error):
        app.logger.warning("ledger: %s", error)
        return jsonify(error="The ledger is closed"), 503

    return app
