"""Settings of the hub: what is granted, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from traitlets.config import Config

from hub import authenticators, roles, spawner
from hub.site import Site, SiteError, own, read_roster

from .work import REPOSITORY


def test_the_demo_stays_on_the_loopback() -> None:
    """The authenticator that believes everybody needs a password, and never listens where others reach it."""
    with pytest.raises(SiteError, match="PASSWORD"):
        authenticators.configure(Config(), Site(authenticator="dummy"))
    with pytest.raises(SiteError, match="loopback"):
        authenticators.configure(Config(), Site(authenticator="dummy", password="x", bind="http://0.0.0.0:8000"))  # noqa: S106  # not one


def test_a_server_token_is_worth_little() -> None:
    """A student's server may say that it lives and reach the service; it cannot read or start anything else."""
    config = Config()
    roles.configure(config, Site(members={"ada": "student", "ines": "instructor"}, address="10.0.0.1"))
    assert config.Spawner.server_token_scopes == [
        "users:activity!user",
        "access:servers!server",
        "access:services!service=autograder",
    ]
    granted = {s for role in config.JupyterHub.load_roles for s in role["scopes"]}
    assert not granted & {"admin:users", "admin:servers", "access:servers", "tokens", "shares"}
    assert config.JupyterHub.load_groups["course-course-student"] == {"users": ["ada"]}


def test_the_service_is_told_all_that_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub passes nothing on by itself: every setting of the service and of its nodes must be named."""
    readers = ("hub/service/settings.py", "autograder/engine/options.py", "autograder/measure/gpu.py",
               "autograder/course/term.py", "autograder/course/load.py")  # fmt: skip
    read = {name for path in readers for name in re.findall(r"AUTOGRADER_[A-Z_]+", (REPOSITORY / path).read_text())}
    assert len(read) > 10
    for name in read:
        monkeypatch.setenv(name, f"told-{name}")
    told = roles.service(Site.read())["environment"]
    assert read <= set(told)
    ours = {"AUTOGRADER_STATE", "AUTOGRADER_GRADEBOOK"}  # made of the hub's own
    assert {name for name in read if told[name] != f"told-{name}"} == ours


def test_the_service_finds_certificates_and_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dask, PostgreSQL, Docker and Slurm read by themselves reaches the service as well; nobody's secret does."""
    names = ("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", "PGSSLROOTCERT", "PGPASSFILE", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
             "SLURM_CONF", "TZ", "TMPDIR", "AUTOGRADER_SCHEDULER_INSECURE")  # fmt: skip
    for name in (*names, "CONFIGPROXY_AUTH_TOKEN", "AUTOGRADER_DEMO_PASSWORD"):
        monkeypatch.setenv(name, "x")
    told = roles.service(Site.read())["environment"]
    assert set(names) <= set(told) and not {"CONFIGPROXY_AUTH_TOKEN", "AUTOGRADER_DEMO_PASSWORD"} & set(told)


def test_the_highest_role_counts() -> None:
    """Who is in two groups has the rights of the higher; groups of other courses give none."""
    assert roles.role_of(["course-c-student", "course-c-instructor"], "c") == "instructor"
    assert roles.role_of(["course-d-instructor"], "c") == "student"


def test_only_staff_see_the_course_directory(tmp_path: Path) -> None:
    """The mount of nbgrader's course directory depends on the group, on every start."""
    prepare = spawner.Prepare(Site(state=tmp_path, course="c"))
    seen = {}
    for name, group in (("ada", "course-c-student"), ("tess", "course-c-ta")):
        server = SimpleNamespace(
            user=SimpleNamespace(groups=[SimpleNamespace(name=group)]), environment={}, volumes={"home": "/home/jovyan"}
        )
        prepare(server)
        seen[name] = (server.environment["AUTOGRADER_ROLE"], spawner.COURSE_DIR in server.volumes.values())
    assert seen == {"ada": ("student", False), "tess": ("ta", True)}


def test_servers_are_locked_down() -> None:
    """No capability, no new privilege, limits on everything, an image that is never pulled."""
    config = Config()
    spawner.configure(config, Site(address="10.0.0.1"))
    host = config.DockerSpawner.extra_host_config
    assert host["cap_drop"] == ["ALL"] and "no-new-privileges" in host["security_opt"] and host["pids_limit"] == 512
    assert config.DockerSpawner.pull_policy == "never" and config.Spawner.mem_limit == "2G"


def test_a_wrong_roster_is_refused_with_its_line(tmp_path: Path) -> None:
    """Nobody gets a role by a typing mistake."""
    path = tmp_path / "roster.csv"
    path.write_text("name,role\nada,student\nbob,teacher\n")
    with pytest.raises(SiteError, match="line 3"):
        read_roster(path)
    path.write_text("name,role\n")  # would shut everybody out
    with pytest.raises(SiteError, match="names nobody"):
        read_roster(path)
    with pytest.raises(SiteError, match="AUTOGRADER_HUB_PORT"):
        Site.read({"AUTOGRADER_HUB_PORT": "many"})


def test_a_state_folder_is_nobody_elses(tmp_path: Path) -> None:
    """Made so, and closed where it was open; what an operator gave to a group stays."""
    for before, after in ((None, 0o700), (0o755, 0o700), (0o750, 0o750)):
        folder = tmp_path / str(before)
        if before is not None:
            folder.mkdir()
            folder.chmod(before)
        own(folder)
        assert folder.stat().st_mode & 0o777 == after
