"""Typed clients: the codes of one catalogue as exceptions, and a transport that raises them.

`python` and `typescript` are its two fronts; both fill `templates/` from one `client_model`.
"""
