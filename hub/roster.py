"""The roster decides, at every start of the hub: whom it no longer names gets out, whom it demotes loses what they had.

JupyterHub by itself only adds: members to groups, and everybody who was ever there to those who may log in.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.traitlets import EntryPointType
from traitlets import Dict, List, Unicode

from hub.roles import group
from hub.site import ROLES, Site

_CLASS = EntryPointType(klass=Authenticator, entry_point_group="jupyterhub.authenticators")
_NO_DOORS = {"allowed_users", "allowed_failed_logins"}  # looked at above; a number of NativeAuthenticator's


class Heeded(Authenticator):
    """What every authenticator gets; `configure` puts it before the chosen one."""

    course = Unicode(help="The course's id.").tag(config=True)
    members = Dict(help="Name to role; empty: no roster, and somebody else says who is what.").tag(config=True)
    spared: Any = List(help="Names that the hub's own settings give a group or a role.").tag(config=True)

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
        if user.admin or user.name in self.allowed_users | self.admin_users | set(self.spared):
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
        return {n for n in super().get_authed_users() if n not in self._staff or self._confirmed(n)}

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        """Of NativeAuthenticator: an open sign-up is one for everybody but staff."""
        made = super().create_user(username, password, **more)
        if made is not None and made.is_authorized and made.username in self._staff:
            made.is_authorized = False
            self.db.commit()
        return made

    @property
    def _staff(self) -> set[str]:
        found = {self.normalize_username(n) for n, role in self.members.items() if role != ROLES[0]}
        return found | set(self.admin_users)

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
    c.Heeded.course, c.Heeded.members, c.Heeded.spared = site.course, dict(site.members), sorted(_named(c, site))


def _named(c: Any, site: Site) -> set[str]:
    """Whom settings beside the roster's name: members of other groups, holders of roles."""
    ours = {group(site.course, role) for role in ROLES}
    groups = c.JupyterHub.load_groups if isinstance(c.JupyterHub.load_groups, dict) else {}
    roles = c.JupyterHub.load_roles if isinstance(c.JupyterHub.load_roles, list) else []
    found = [g.get("users", ()) if isinstance(g, dict) else g for name, g in groups.items() if name not in ours]
    found += [role.get("users", ()) for role in roles]
    return {str(name).lower() for names in found for name in names}
