"""Assembles, decides nothing: `jupyterhub -f hub/jupyterhub_config.py`. Decisions are in `hub/site.py` and its readers."""

import os
from dataclasses import replace
from pathlib import Path

from hub import authenticators, proxy, roles, roster, spawner
from hub.site import Site, own
from hub.tied import tie

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub puts it there
tie()
site = Site.read()
if site.spawner == "docker" and not site.address:
    site = replace(site, address=spawner.network(site.network))
own(site.state)
own(site.state / "service")

c.JupyterHub.bind_url = site.bind
c.JupyterHub.hub_ip = site.address
c.JupyterHub.hub_connect_ip = site.address
c.JupyterHub.hub_port = site.hub_port
c.JupyterHub.db_url = site.hub_database
c.JupyterHub.cookie_secret_file = str(site.state / "jupyterhub_cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(site.state / "jupyterhub-proxy.pid")
c.ConfigurableHTTPProxy.command = proxy.command()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ.get('AUTOGRADER_PROXY_PORT', '8001')}"
c.JupyterHub.cleanup_servers = True
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.template_paths = [str(Path(roles.__file__).with_name("templates"))]

authenticators.configure(c, site)
roles.configure(c, site)
spawner.configure(c, site)

# the operator's own settings come last; whatever they chose, the roster is heeded
more = os.environ.get("AUTOGRADER_HUB_CONFIG", "")
if more:
    load_subconfig(str(Path(more).absolute()))  # type: ignore[name-defined]  # noqa: F821  # JupyterHub puts it there
roster.configure(c, site)
