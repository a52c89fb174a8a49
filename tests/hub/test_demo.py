"""The demo's state folder: what is kept, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import demo


def test_a_password_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """A start that ends while it writes leaves no empty password behind."""
    with pytest.raises(KeyboardInterrupt):
        demo._kept(tmp_path / "password", _interrupted)
    assert demo._kept(tmp_path / "password", lambda: "secret") == "secret"
    assert demo._kept(tmp_path / "password", _interrupted) == "secret"
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["password"]


def _interrupted() -> str:
    raise KeyboardInterrupt
