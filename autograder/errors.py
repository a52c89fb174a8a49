"""What may go wrong with *us*; what a student's code does is a value (`domain.verdict`), never an exception.

AutograderError
├── CourseError       an assignment is wrong: names file and key; a TA mends it
├── SubmissionError   refused at intake, with the reason; the student mends it
├── SandboxError      the container engine or a guest's life; retried, then escalated
├── LedgerError       the database or the blobs cannot be trusted or reached; staff act, nothing is given up
│   └── BlobLost      a submission's bytes are gone or changed, while the storage is there; no waiting brings them back
└── MachineError      this machine cannot do what was asked (no engine, no such core); staff mend it
"""


class AutograderError(Exception):
    """Root of all errors that this package raises on purpose."""


class CourseError(AutograderError):
    """An assignment folder is wrong. A TA must act."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


class SubmissionError(AutograderError):
    """A submission was refused before anything of it ran. The student must act."""


class SandboxError(AutograderError):
    """The sandbox failed, not the student. Retried once, then staff must act."""


class LedgerError(AutograderError):
    """The ledger cannot be read, written or trusted. Staff must act; no receipt was given for what failed."""


class BlobLost(LedgerError):
    """What was handed in is gone or changed on disk. Staff must restore it from a backup."""


class MachineError(AutograderError):
    """This machine lacks something that the job needs. Staff must act."""
