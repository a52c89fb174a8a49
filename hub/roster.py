"""The roster decides, at every start of the hub: whom it no longer names gets out, whom it demotes loses what they had.

JupyterHub by itself only adds: members to groups, and everybody who was ever there to those who may log in.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.traitlets import EntryPointType
from traitlets import Dict, Unicode

from hub.roles import group
from hub.site import ROLES, Site

_CLASS = EntryPointType(klass=Authenticator, entry_point_group="jupyterhub.authenticators")
_NO_DOORS = {"allowed_users", "allowed_failed_logins"}  # looked at above; a number of NativeAuthenticator's


class Heeded(Authenticator):
    """What every authenticator gets; `configure` puts it before the chosen one."""

    course = Unicode(help="The course's id.").tag(config=True)
    members = Dict(help="Name to role; empty: no roster, and somebody else says who is what.").tag(config=True)

    def add_user(self, user: Any) -> Any:
        """Is called for everybody in the database before the hub fills its groups and serves anybody."""
        if self.members:
            self._correct(user)
        return super().add_user(user)

    def _correct(self, user: Any) -> None:
        held = {
            group(self.course, role)
            for name, role in self.members.items()
            if self.normalize_username(name) == user.name
        }
        ours = {group(self.course, role) for role in ROLES}
        for left in [g for g in user.groups if g.name in ours - held]:
            self.log.warning("%s is no longer in %s: the roster does not say so", user.name, left.name)
            user.groups.remove(left)
        if not held and not self._welcome(user):
            # the hub then takes every right away, stops their server, and lets them in no more
            self.log.warning("%s is not in the roster, and is shut out", user.name)
            self.blocked_users.add(user.name)

    def _welcome(self, user: Any) -> bool:
        """Whether somebody beside the roster may let them in: the operator by name, or settings of the authenticator's."""
        if user.name in self.allowed_users | self.admin_users:
            return True
        return any(
            getattr(self, name)
            for name, trait in self.traits(config=True).items()
            if name not in _NO_DOORS and (trait.metadata.get("allow_config") or name.startswith("allowed_"))
        )

    def get_authed_users(self) -> set[str]:
        """Of NativeAuthenticator: whose sign-up is an account at once.

        A name is no proof: staff's is confirmed by `autograder hub account`, or by an administrator at /hub/authorize.
        """
        staff = {self.normalize_username(n) for n, role in self.members.items() if role != ROLES[0]} | self.admin_users
        return {n for n in super().get_authed_users() if n not in staff or self._confirmed(n)}

    def get_handlers(self, app: Any) -> list[Any]:
        """NativeAuthenticator's login page is ours; everybody else's pages are their own."""
        handlers = list(super().get_handlers(app))
        if not hasattr(super(), "get_authed_users"):
            return handlers
        from nativeauthenticator.handlers import LoginHandler  # a package that belongs to one authenticator

        from hub.sign_in import SignIn

        return [(path, SignIn if page is LoginHandler else page, *more) for path, page, *more in handlers]

    def _confirmed(self, name: str) -> bool:
        found = self.get_user(name)
        return found is not None and bool(found.is_authorized)


def configure(c: Any, site: Site) -> None:
    """Puts the roster before whatever authenticator the settings chose; to be called after the last of them."""
    chosen = _CLASS.validate(None, c.JupyterHub.authenticator_class)
    c.JupyterHub.authenticator_class = type(f"Heeded{chosen.__name__}", (Heeded, chosen), {})
    c.Heeded.course, c.Heeded.members = site.course, dict(site.members)
