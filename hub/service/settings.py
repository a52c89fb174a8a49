"""What the service is told by its environment; read once, passed inward."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: so many at once, and one more every so many seconds."""

    capacity: float
    refill_s: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service runs.

    Attributes:
        prefix: the path under which it is reached, with a slash at both ends.
        course_folder: where the assignments lie; None is `assignments/` here or beside the package.
        state: blobs, the embedded database, and the tokens of the stand-alone service.
        door: attempts to hand anything in, per student.
        grade: gradings, per student and assignment.
        trial: tries on the grading hardware, per student.
        upload_bytes: most that a submission may hold on its way in; the assignment's own limit applies after that.
        archive_bytes: most that a release or a feedback archive may hold.
        form_bytes: most that JSON or a form may hold; a regrade of 10 000 students is decided on by one of 220 KB.
        metrics_token: what Prometheus shows as its bearer token; empty means that only staff may read the metrics.
        check_hour: of the day, local time, at which every node duels a kernel against itself; None never.
        followers: live streams at once, of everybody, and of one person.
    """

    course: str = "course"
    prefix: str = "/"
    state: Path = Path(".state/service")
    database_url: str = ""
    scheduler: str = ""
    course_folder: Path | None = None
    gradebook: Path | None = None
    door: Bucket = Bucket(30, 2)
    grade: Bucket = Bucket(10, 300)
    trial: Bucket = Bucket(5, 300)
    upload_bytes: int = 16 * MIB
    archive_bytes: int = 64 * MIB
    form_bytes: int = 256 * KIB
    upload_s: float = 60.0
    metrics_token: str = ""
    check_hour: int | None = 4
    followers: int = 2000
    followers_each: int = 8

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """From `AUTOGRADER_*` and `JUPYTERHUB_SERVICE_PREFIX`."""
        prefix = "/" + environment.get("JUPYTERHUB_SERVICE_PREFIX", "").strip("/")
        folder, gradebook = environment.get("AUTOGRADER_COURSE_FOLDER"), environment.get("AUTOGRADER_GRADEBOOK")
        return cls(
            course=environment.get("AUTOGRADER_COURSE", "course"),
            prefix=prefix if prefix.endswith("/") else prefix + "/",
            state=Path(environment.get("AUTOGRADER_STATE", ".state/service")),
            database_url=environment.get("AUTOGRADER_DATABASE_URL", ""),
            scheduler=environment.get("AUTOGRADER_SCHEDULER", ""),
            course_folder=Path(folder) if folder else None,
            gradebook=Path(gradebook) if gradebook else None,
            metrics_token=environment.get("AUTOGRADER_METRICS_TOKEN", ""),
            check_hour=_hour(environment.get("AUTOGRADER_CHECK_HOUR", "4")),
        )


def _hour(text: str) -> int | None:
    """0 to 23, or `off`.

    Raises:
        ValueError: anything else.
    """
    if text == "off":
        return None
    if not (text.isdecimal() and int(text) < 24):
        raise ValueError(f"AUTOGRADER_CHECK_HOUR={text!r}: an hour from 0 to 23, or off")
    return int(text)
