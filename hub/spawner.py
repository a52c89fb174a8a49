"""Students' servers: one container each, with limits, a volume of its own, and a network that leads to the hub only.

On that network (`--internal`, no communication between containers) a server reaches the hub and the service at the
gateway's address, no other server and nothing outside.
"""

from __future__ import annotations

import os
from typing import Any

from hub.nbgrader_plugins.ground import give
from hub.roles import role_of, service_url
from hub.site import Site

HOME = "/home/jovyan"
COURSE_DIR = f"{HOME}/course"
UID = 1000  # `jovyan` in images/student
_OPTIONS = {"com.docker.network.bridge.enable_icc": "false"}


class SpawnerError(Exception):
    """Servers cannot be started here; the text says why."""


def network(name: str) -> str:
    """Makes the network where it is missing.

    Returns:
        Its gateway's address.

    Raises:
        SpawnerError: no engine, or a network of that name that is open.
    """
    import docker
    from docker.errors import DockerException, NotFound

    try:
        client = docker.from_env()
        try:
            found = client.networks.get(name)
        except NotFound:
            found = client.networks.create(name, driver="bridge", internal=True, options=_OPTIONS)
        found.reload()
        attributes = found.attrs
        client.close()
    except DockerException as error:
        raise SpawnerError(f"the container engine does not answer: {error}") from error
    if not attributes["Internal"] or attributes["Options"].get(next(iter(_OPTIONS))) != "false":
        raise SpawnerError(f"the network {name} is open: remove it (docker network rm {name}) and start again")
    return str(attributes["IPAM"]["Config"][0]["Gateway"])


def configure(c: Any, site: Site) -> None:
    """DockerSpawner, or KubeSpawner with the same image and the same variables."""
    c.JupyterHub.spawner_class = {"docker": "dockerspawner.DockerSpawner", "kube": "kubespawner.KubeSpawner"}.get(
        site.spawner, site.spawner
    )
    c.Spawner.default_url = "/lab"
    c.Spawner.cmd = ["start-autograder"]
    c.Spawner.mem_limit = site.memory
    c.Spawner.cpu_limit = site.cores
    c.Spawner.start_timeout = 120
    c.Spawner.http_timeout = 60
    c.Spawner.environment = {
        "AUTOGRADER_URL": service_url(site),
        "AUTOGRADER_COURSE": site.course,
        "AUTOGRADER_HUB_URL": site.public_url or site.bind,
        "OMP_NUM_THREADS": str(max(1, int(site.cores))),
        "NUMBA_NUM_THREADS": str(max(1, int(site.cores))),
    }
    if site.spawner == "docker":
        _docker(c, site)
    c.Spawner.pre_spawn_hook = Prepare(site)


def _docker(c: Any, site: Site) -> None:
    c.DockerSpawner.image = site.image
    c.DockerSpawner.pull_policy = "never"
    c.DockerSpawner.prefix = site.prefix
    c.DockerSpawner.name_template = "{prefix}-{username}"
    c.DockerSpawner.network_name = site.network
    c.DockerSpawner.use_internal_ip = True
    c.DockerSpawner.remove = True
    c.DockerSpawner.notebook_dir = HOME
    c.DockerSpawner.volumes = {f"{site.prefix}-home-{{username}}": HOME}
    c.DockerSpawner.extra_host_config = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": site.processes,
        "memswap_limit": site.memory.lower(),
        "ipc_mode": "private",
        "init": False,  # the image's tini is the first process
    }


class Prepare:
    """Before a server starts: what its owner's role adds to it."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def __call__(self, spawner: Any) -> None:
        """Staff get Formgrader and the course directory; nothing that is secret lies in it."""
        role = role_of([g.name for g in spawner.user.groups], self.site.course)
        spawner.environment = {**spawner.environment, "AUTOGRADER_ROLE": role}
        if role == "student":
            return
        spawner.environment["AUTOGRADER_GRADEBOOK"] = COURSE_DIR
        if self.site.spawner == "docker":
            own_course_dir(self.site)
            spawner.volumes = {**spawner.volumes, str(self.site.course_dir): COURSE_DIR}


def own_course_dir(site: Site) -> None:
    """The course directory exists and belongs to the user inside the containers."""
    site.course_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and site.course_dir.stat().st_uid == 0:
        give(site.course_dir, UID, UID)
