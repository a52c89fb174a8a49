"""Accounts of `native`, made on the hub's machine: whoever may write its database is who decides whose a name is."""

from __future__ import annotations

import secrets

import bcrypt
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy.exc import SQLAlchemyError

from hub.site import Site, own


class AccountError(Exception):
    """The account was not made; the text says why."""


def make(site: Site, name: str, *, beside: bool = False) -> str:
    """Gives somebody a new password, and ends sessions and tokens of that name: they may have been somebody else's.

    Args:
        beside: the name need not be in the roster: an administrator of the operator's own settings.

    Returns:
        The password.

    Raises:
        AccountError: the roster does not name them, or the database does not open.
    """
    name = name.lower()  # as the hub does it
    if site.members and not beside and name not in {member.lower() for member in site.members}:
        raise AccountError(
            f"the roster (AUTOGRADER_ROSTER) does not name {name}, and lets nobody else in; --beside makes the account of an "
            "administrator whom your own settings name"
        )
    password = secrets.token_urlsafe(12)
    try:
        own(site.state)
        with orm.new_session_factory(site.hub_database)() as session:
            UserInfo.__table__.create(session.get_bind(), checkfirst=True)
            found = UserInfo.find(session, name) or UserInfo(username=name)
            found.password = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
            found.is_authorized, found.has_2fa = True, False
            session.add(found)
            user = orm.User.find(session, name)
            if user is not None:
                user.cookie_id = orm.new_token()
                for token in list(user.api_tokens):
                    session.delete(token)
            session.commit()
            session.get_bind().dispose()
    except (OSError, SQLAlchemyError, orm.DatabaseSchemaMismatch) as error:
        raise AccountError(f"the hub's database does not open: {error}") from error
    return password
