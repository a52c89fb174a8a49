"""NativeAuthenticator's login page on JupyterHub 6, which its last version (1.3) does not know: every login was an error."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.login import LoginHandler as HubsLogin
from nativeauthenticator.handlers import LoginHandler as NativeLogin
from tornado.escape import url_escape
from tornado.httputil import url_concat

UNCONFIRMED = "This account is not confirmed yet: ask whoever runs the hub."


class SignIn(NativeLogin):
    """NativeAuthenticator's form, the hub's way of logging in."""

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        known = self.authenticator.get_user(username) if login_error and username else None
        # to whoever knows the password alone: others learn no names here
        if known is not None and not known.is_authorized and known.is_valid_password(self.get_argument("password", "")):
            login_error = UNCONFIRMED
        login = self.authenticator.login_url(self.hub.base_url)
        return self.render_template(
            "native-login.html",
            next=url_escape(self.get_argument("next", default="")),
            username=username,
            login_error=login_error,
            custom_html=self.authenticator.custom_html,
            login_url=self.settings["login_url"],
            enable_signup=self.authenticator.enable_signup,
            two_factor_auth=self.authenticator.allow_2fa,
            authenticator_login_url=url_concat(login, {"next": self.get_argument("next", "")}),
            **more,
        )

    async def post(self) -> None:
        """The form was sent."""
        user = self.find_user(self.authenticator.normalize_username(self.get_argument("username", "")))
        if user is not None:  # `autograder hub account` changes it behind the hub's back, to end older sessions
            self.db.refresh(user, ["cookie_id"])
        await HubsLogin.post(self)
