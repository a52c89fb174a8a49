"""Who may do what on the hub: groups for the service to read, scopes as few as will do.

A person's role in a course is a hub group, `course-<course>-student`, `-ta` or `-instructor`; the service decides by it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from hub.site import ROLES, Site
from hub.tied import PARENT

SERVICE = "autograder"
CULLER = "idle-culler"
SEED = "seed"
# the service is a child of the hub, which passes nothing on by itself but the PATH
_PASSED = (
    "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "SLURM_CONF", "PGPASSFILE", "TZ", "TMPDIR",
    "AUTOGRADER_SCHEDULER_INSECURE", "HOME", "XDG_RUNTIME_DIR", "CUDA_VISIBLE_DEVICES", "AUTOGRADER_METRICS_TOKEN", "AUTOGRADER_TERM",
    "AUTOGRADER_CHECK_HOUR", "AUTOGRADER_GPUS", "AUTOGRADER_IMAGE", "AUTOGRADER_GPU_IMAGE", "AUTOGRADER_STUDENT_IMAGE",
)  # fmt: skip
_PASSED_ALL = ("DASK_", "PGSSL")  # settings and certificates of Dask's, those of PostgreSQL's client
_REACH = f"access:services!service={SERVICE}"


def group(course: str, role: str) -> str:
    """The group's name."""
    return f"course-{course}-{role}"


def role_of(groups: list[str], course: str) -> str:
    """The highest role that groups give; a student's, which is nothing more than a server, where they give none."""
    held = [role for role in ROLES if group(course, role) in groups]
    return held[-1] if held else ROLES[0]


def configure(c: Any, site: Site) -> None:
    """Groups from the roster, roles with scopes, the service and the culler."""
    instructors = group(site.course, "instructor")
    if site.members:  # without a roster an authenticator may fill the groups, and the hub refuses two that do
        c.JupyterHub.load_groups = {
            group(site.course, role): {"users": sorted(n for n, r in site.members.items() if r == role)}
            for role in ROLES
        }
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": ["self", _REACH]},
        # an instructor sees who is there and whether their server runs; nobody's server is opened to anybody else
        {
            "name": "instructor",
            "scopes": ["admin-ui", "list:users", "read:servers", "read:users:activity"],
            "groups": [instructors],
        },
        {"name": SERVICE, "services": [SERVICE], "scopes": ["read:users:name", "read:users:groups"]},
        {
            "name": CULLER,
            "services": [CULLER],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        },
    ]
    # what the token of a student's server can do: say who it is, reach the service, and nothing else of the hub
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", _REACH]
    c.JupyterHub.services = [service(site), culler(site)]
    if site.seed_token:
        c.JupyterHub.services.append({"name": SEED, "api_token": site.seed_token})
        scopes = [f"tokens!user={name}" for name in sorted({site.seed_user, *site.members})]
        c.JupyterHub.load_roles.append({"name": SEED, "services": [SEED], "scopes": scopes})


def service(site: Site) -> dict[str, Any]:
    """`autograder serve`, started and kept by the hub, reached by browsers at /services/autograder/."""
    told = {
        **{key: word for key, word in os.environ.items() if key in _PASSED or key.startswith(_PASSED_ALL)},
        PARENT: str(os.getpid()),
        "AUTOGRADER_COURSE": site.course,
        "AUTOGRADER_STATE": str(site.state / "service"),
        "AUTOGRADER_GRADEBOOK": str(site.course_dir),
        "AUTOGRADER_COURSE_FOLDER": site.course_folder,
        "AUTOGRADER_SCHEDULER": site.scheduler,
        "AUTOGRADER_DATABASE_URL": site.database_url,
    }
    return {
        "name": SERVICE,
        "url": f"http://{site.address}:{site.service_port}",
        "command": [sys.executable, "-P", "-m", "autograder", "serve"],
        "environment": {key: value for key, value in told.items() if value},
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [_REACH],
        "display": True,
    }


def culler(site: Site) -> dict[str, Any]:
    """Stops servers that nobody uses."""
    return {
        "name": CULLER,
        "command": [sys.executable, "-P", "-m", "jupyterhub_idle_culler", f"--timeout={site.idle_s}"],
    }


def service_url(site: Site) -> str:
    """Where servers reach the service."""
    return f"http://{site.address}:{site.service_port}/services/{SERVICE}/"
