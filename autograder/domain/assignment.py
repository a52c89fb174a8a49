"""An assignment as data: signatures, resources, limits, criteria."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What hardware a submission asks for."""

    SERIAL = "serial"
    THREADS = "threads"
    MPI = "mpi"
    GPU = "gpu"


class CriterionKind(StrEnum):
    """How points are earned."""

    CORRECTNESS = "correctness"
    SPEEDUP = "speedup"
    SCALING = "scaling"

    @property
    def timed(self) -> bool:
        """Whether rounds are timed for it."""
        return self is not CriterionKind.CORRECTNESS


class Role(StrEnum):
    """What an argument is for."""

    IN = "in"
    OUT = "out"
    CALLBACK = "callback"
    COMM = "comm"


@dataclass(frozen=True, slots=True)
class Dim:
    """One axis: a number (`name` empty), or a name bound by an argument plus an offset (`n+1`)."""

    name: str
    offset: int

    def __str__(self) -> str:
        return f"{self.name}{self.offset:+d}" if self.name and self.offset else self.name or str(self.offset)


@dataclass(frozen=True, slots=True)
class ValueType:
    """A scalar (`scalar` one of float, int, bool) or an array of a dtype such as f8 with named axes."""

    scalar: str
    dtype: str = ""
    dims: tuple[Dim, ...] = ()

    def __str__(self) -> str:
        return self.scalar or f"{self.dtype}[{','.join(map(str, self.dims))}]"


@dataclass(frozen=True, slots=True)
class Argument:
    """One declared argument.

    Attributes:
        callback: the name of an entry in `callbacks`, for an argument of that role.
        dealt: every rank of a world gets a value of its own.
    """

    name: str
    type: ValueType
    role: Role = Role.IN
    default: float | int | bool | None = None
    callback: str = ""
    dealt: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.callback or self.type}{' per rank' if self.dealt else ''}"


@dataclass(frozen=True, slots=True)
class Function:
    """One declared function: what arrives, what must come back."""

    name: str
    arguments: tuple[Argument, ...]
    returns: tuple[ValueType, ...]

    @property
    def signature(self) -> str:
        """As a student reads it."""
        arrow = ", ".join(map(str, self.returns)) or "None"
        return f"{self.name}({', '.join(map(str, self.arguments))}) -> {arrow}"

    @property
    def comm(self) -> str:
        """Name of the argument that is a communicator, or nothing: such a function runs on every rank of a world."""
        return next((a.name for a in self.arguments if a.role is Role.COMM), "")


@dataclass(frozen=True, slots=True)
class Resources:
    """What a guest gets.

    Attributes:
        device_memory_mb: of a GPU's memory, beside its arguments and results; MiB that it may hold after a call.
    """

    cores: int = 1
    memory_mb: int = 1024
    processes: int = 64
    scratch_mb: int = 64
    preload: tuple[str, ...] = ("numpy",)
    device_memory_mb: int = 8192


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and sizes beyond which a guest is stopped or a submission refused."""

    load_s: float = 20.0
    call_s: float = 10.0
    grading_s: float = 300.0
    submission_kb: int = 1024


@dataclass(frozen=True, slots=True)
class Tier:
    """A published threshold on the speedup and the points it adds."""

    threshold: float
    points: float


_OPPONENTS = {"kernel": "the reference kernel", "baseline": "the baseline"}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the verdict.

    Attributes:
        hint: what a student reads when a hidden check fails; leaks no value.
        against: `kernel` or `baseline`, for speedup; scaling runs against the kernel.
        workers: p of a scaling criterion.
        calibrated: the reference's own speedup at p over 1 on a quiet machine (the canary).
        control: file in `solutions/` that deserves every tier: nobody loses one in rounds in which it does not earn it.
        flops: that one timed call needs at least, for the ladder's share of the roofline.
        bytes: to and from memory that one timed call needs at least.
        edges: the thresholds bound a claim: rounds are played until the interval lies between them, or beyond one.
    """

    id: str
    title: str
    points: float
    kind: CriterionKind = CriterionKind.CORRECTNESS
    public: bool = False
    hint: str = ""
    against: str = "kernel"
    tiers: tuple[Tier, ...] = ()
    workers: int = 1
    calibrated: float = 0.0
    control: str = ""
    flops: float = 0.0
    bytes: float = 0.0
    edges: bool = False

    @property
    def opponent(self) -> str:
        """What a submission is timed against, in words."""
        if self.kind is CriterionKind.SCALING:
            return "the reference on one worker"
        return _OPPONENTS[self.against]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A whole folder. `source` files are named, not read, so that the value stays small.

    Attributes:
        own_reference: the program that is duelled with is the submitter's own, too: the files of `baseline/` in the folder.
            It is fenced in like the submission, what it says of itself is believed as little, and its failures are theirs.
        project: a team's own work is handed in here: what is measured are its claims, and people give the points.
    """

    slug: str
    folder: Path
    title: str
    lecture: str
    domain: str
    kind: Kind
    summary: str
    oracle: str
    baseline: str
    kernel: str
    resources: Resources
    limits: Limits
    functions: tuple[Function, ...]
    callbacks: tuple[Function, ...]
    criteria: tuple[Criterion, ...]
    written_points: float = 0.0
    lower_precision: bool = True
    lower_precision_reason: str = ""
    own_reference: bool = False
    project: bool = False

    @property
    def attainable(self) -> float:
        """Points that one number for a submission is out of: the automatic ones, or those of people where there are no other."""
        return self.written_points if self.project else self.max_score

    @property
    def max_score(self) -> float:
        """Automatic points; written answers are graded by people."""
        return sum(c.points for c in self.criteria)

    @property
    def worlds(self) -> tuple[int, ...]:
        """Numbers of ranks that are started ahead of need: one, and what is timed. 0 is a plain process."""
        if self.kind is not Kind.MPI:
            return (0,)
        return tuple(sorted({1, *(c.workers for c in self.criteria if c.kind.timed)}))

    def control(self, name: str) -> Path:
        """The file of a criterion's known program."""
        return self.folder / "solutions" / name

    def function(self, name: str) -> Function:
        """The declared function of that name.

        Raises:
            KeyError: no such declaration.
        """
        return next(f for f in (*self.functions, *self.callbacks) if f.name == name)
