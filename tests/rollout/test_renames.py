"""A team's own spellings are laid over a preset's."""

from __future__ import annotations

import pytest

from errorkit.dialects import PRESETS, get_dialect


@pytest.mark.parametrize("name", PRESETS)
def test_renames_keep_the_presets_own(name: str) -> None:
    """One code more is spelled otherwise, all others as before; both ways."""
    plain = get_dialect(name)
    renamed = type(plain)(renames={"gone": "long_gone"})
    for code in {*plain.renames, "conflict", "internal"}:
        assert renamed.spell(code) == plain.spell(code)
        assert renamed.canonical(plain.spell(code)) == code
    assert (renamed.spell("gone"), renamed.canonical("long_gone")) == ("long_gone", "gone")
    assert "gone" not in type(plain).renames
