"""What a start of the hub makes of a roster that has changed; JupyterHub's own steps, without its servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from hub import accounts, authenticators, roles, roster
from hub.site import Site, SiteError, read_roster

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # JupyterHub's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]


def start(folder: Path, members: dict[str, str], authenticator: str = "dummy", **settings: Any) -> Any:
    """A hub as far as people go: users, groups, roles."""
    site = Site(state=folder, members=members, authenticator=authenticator, password="x", address="127.0.0.1")  # noqa: S106  # not one
    config = Config()
    authenticators.configure(config, site)
    roles.configure(config, site)
    for name, value in settings.items():
        setattr(config.Authenticator, name, value)
    roster.configure(config, site)
    JupyterHub.clear_instance()
    app = JupyterHub(config=config, db_url=f"sqlite:///{folder}/hub.sqlite", cookie_secret=b"0" * 32)

    async def people() -> None:
        app.init_db()
        app.init_hub()
        app.init_proxy()
        app.init_oauth()
        await app.init_role_creation()
        await app.init_users()
        await app.init_groups()
        app.init_services()
        await app.init_role_assignment()
        await app.init_blocked_users()

    asyncio.run(people())
    return app


def held(app: Any, name: str) -> tuple[list[str], list[str]]:
    """Somebody's groups and roles."""
    user = orm.User.find(app.db, name)
    return sorted(g.name for g in user.groups), sorted(r.name for r in user.roles)


def gets_in(app: Any, name: str, password: str = "x") -> bool:  # noqa: S107  # not one
    """Whether that password opens the door."""
    data = {"username": name, "password": password}
    return asyncio.run(app.authenticator.get_authenticated_user(SimpleNamespace(), data)) is not None


def test_who_is_demoted_or_leaves_loses_it_at_the_next_start(tmp_path: Path) -> None:
    """The groups decide in hub and service; who is named again later has everything again."""
    before = {"ada": "student", "Tess": "ta", "kim": "ta", "ines": "instructor"}
    app = start(tmp_path, before)
    assert held(app, "tess") == (["course-course-ta"], ["user"]) and gets_in(app, "kim")
    app = start(tmp_path, {"ada": "student", "Tess": "student", "ines": "instructor"})
    assert held(app, "tess") == (["course-course-student"], ["user"]) and gets_in(app, "tess")
    assert held(app, "kim") == ([], []) and not gets_in(app, "kim")
    assert held(app, "ines") == (["course-course-instructor"], ["user"])
    app = start(tmp_path, before)
    assert held(app, "kim") == (["course-course-ta"], ["user"]) and gets_in(app, "kim")


def test_whom_the_operator_lets_in_otherwise_stays(tmp_path: Path) -> None:
    """By name, or by a setting of the authenticator's; groups of the course are the roster's all the same."""
    start(tmp_path, {"kim": "ta", "ines": "instructor"})
    for settings in ({"admin_users": {"kim"}}, {"allow_all": True}):
        app = start(tmp_path, {"ines": "instructor"}, **settings)
        assert held(app, "kim")[0] == [] and "user" in held(app, "kim")[1] and gets_in(app, "kim")


def test_without_a_roster_somebody_else_fills_the_groups(tmp_path: Path) -> None:
    """What an authenticator or an administrator wrote there stays."""
    start(tmp_path, {"kim": "ta"})
    app = start(tmp_path, {}, manage_groups=True, allow_all=True)
    assert held(app, "kim") == (["course-course-ta"], ["user"])


def test_nobody_becomes_staff_by_signing_up(tmp_path: Path) -> None:
    """Names of `native` go to whoever takes them first; staff's are confirmed on the hub's machine, and then theirs alone."""
    members = {"ada": "student", "Ines": "instructor"}
    app = start(tmp_path, members, "native")
    assert app.authenticator.create_user("bob", "short") is None
    assert app.authenticator.create_user("bob", "password123") is None  # known to everybody
    for name in ("ada", "ines"):
        assert app.authenticator.create_user(name, "a stranger's word") is not None
    assert gets_in(app, "ada", "a stranger's word") and not gets_in(app, "ines", "a stranger's word")
    app.db.close()
    password = accounts.make(Site(state=tmp_path / "x", hub_database_url=str(app.db_url), members=members), "ines")
    app = start(tmp_path, members, "native")
    assert gets_in(app, "ines", password) and not gets_in(app, "ines", "a stranger's word")
    for _ in range(app.authenticator.allowed_failed_logins):
        assert not gets_in(app, "ines", "guessed")
    assert not gets_in(app, "ines", password)  # for a minute


def test_a_new_password_ends_what_was_open(tmp_path: Path) -> None:
    """Sessions and tokens of whoever had the name before."""
    members = {"ines": "instructor"}
    app = start(tmp_path, members, "native")
    ines = orm.User.find(app.db, "ines")
    token, cookie = ines.new_api_token(), ines.cookie_id
    app.db.close()
    accounts.make(Site(state=tmp_path, hub_database_url=str(app.db_url), members=members), "Ines")
    app = start(tmp_path, members, "native")
    assert orm.APIToken.find(app.db, token) is None and orm.User.find(app.db, "ines").cookie_id != cookie
    with pytest.raises(accounts.AccountError, match="does not name eve"):
        accounts.make(Site(members=members), "eve")


def test_an_open_sign_up_is_none_for_staff(tmp_path: Path) -> None:
    """Nor is one for whoever the operator's own settings make an administrator; their account is made on the machine."""
    members = {"ada": "student", "ines": "instructor"}
    app = start(tmp_path, members, "native", open_signup=True, admin_users={"root"})
    for name in ("ada", "ines", "root"):
        assert app.authenticator.create_user(name, "a stranger's word") is not None
        assert gets_in(app, name, "a stranger's word") is (name == "ada")
    app.db.close()
    site = Site(state=tmp_path / "x", hub_database_url=str(app.db_url), members=members)
    password = accounts.make(site, "root", beside=True)
    assert gets_in(start(tmp_path, members, "native", admin_users={"root"}), "root", password)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,role\nada,student\nAda,ta\n", "line 3: Ada stands there twice"),
        ("name,role\nada,pupil\n", "line 2"),
        (None, "cannot be read"),
    ],
)
def test_a_slip_in_the_roster_is_named(text: str | None, words: str, tmp_path: Path) -> None:
    """Who stands there twice would have the last line's role."""
    path = tmp_path / "roster.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=words):
        read_roster(path)


def test_a_spreadsheets_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    """As Excel writes CSV."""
    path = tmp_path / "roster.csv"
    path.write_bytes(b"\xef\xbb\xbfname,role\r\nada,student\r\n")
    assert read_roster(path) == {"ada": "student"}
