"""Who logs in, and how. `AUTOGRADER_AUTHENTICATOR` names one of these, or any class of JupyterHub's authenticators."""

from __future__ import annotations

import logging
from typing import Any

from hub.site import Site, SiteError

KNOWN = {
    "dummy": "dummy",
    "native": "nativeauthenticator.NativeAuthenticator",
    "pam": "pam",
    "github": "oauthenticator.github.GitHubOAuthenticator",
    "oauth": "oauthenticator.generic.GenericOAuthenticator",
    "lti": "ltiauthenticator.lti13.auth.LTI13Authenticator",
}
PASSWORD_CHARACTERS = 10  # at least
_LOUD = """
######################################################################
#  DEMO: everybody who knows one password is whoever they say.       #
#  Never let anybody but yourself reach this hub.                    #
######################################################################"""


def configure(c: Any, site: Site) -> None:
    """One authenticator; its own settings come from its own variables, or from `AUTOGRADER_HUB_CONFIG`.

    Raises:
        SiteError: the demo's without a password, or on an address that others reach.
    """
    c.JupyterHub.authenticator_class = KNOWN.get(site.authenticator, site.authenticator)
    # only people of the roster get in, unless the authenticator's own settings say otherwise
    c.Authenticator.allowed_users = set(site.members)
    if site.members:
        c.Authenticator.allow_existing_users = False  # else whoever was ever named, which is JupyterHub's default
    c.NativeAuthenticator.minimum_password_length = PASSWORD_CHARACTERS
    c.NativeAuthenticator.check_common_password = True
    # then one try a minute: guessing is hopeless, and whoever wants to lock somebody out has to stay at it
    c.NativeAuthenticator.allowed_failed_logins = 10
    c.NativeAuthenticator.seconds_before_next_try = 60
    if site.authenticator != "dummy":
        return
    if not site.password:
        raise SiteError("AUTOGRADER_DEMO_PASSWORD is empty: the demo's authenticator would let everybody in")
    if not any(host in site.bind for host in ("//127.0.0.1", "//localhost", "//[::1]")):
        raise SiteError(f"the demo's authenticator is for the loopback only, not for {site.bind}")
    logging.getLogger("autograder.hub").warning(_LOUD)
    c.DummyAuthenticator.password = site.password
