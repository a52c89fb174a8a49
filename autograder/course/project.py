"""A team's `project.toml` → `Project`. It is a student's file: everything is bounded, and refused with file and key."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.course.intake import receive_files, unpack, unwrapped
from autograder.course.signatures import Signatures
from autograder.domain.assignment import Argument, Function, Kind, Resources, Role
from autograder.domain.project import Claim, Draw, Member, Project
from autograder.errors import CourseError, SubmissionError

FILE = "project.toml"
LIMIT_KB = 16 * 1024  # a paper and slides in PDF among them
MOST_CLAIMS, MOST_TEAM, MOST_BYTES = 12, 3, 256 << 20
MOST_CORES, MOST_MB, MOST_SLUG, MOST_WORDS, MOST_DOTS = 64, 16384, 48, 128 << 10, 200
LEAST_VALUES, LARGEST = 1_000_000, 1e300
MOST_WHOLE = 2**53  # a float holds all whole numbers up to it
LEAST_SPREAD = 1e-3  # of the numbers' own size: thousands of values, in single precision, too
# by scalar or dtype, the least and the largest that are drawn; arrays of counts need no more than 31 bits
_WHOLE = {
    **dict.fromkeys(("int", "i4", "i8"), (-(2**31), 2**31 - 1)), **dict.fromkeys(("u4", "u8"), (0, 2**31 - 1)),
    "i1": (-128, 127), "u1": (0, 255), "i2": (-(2**15), 2**15 - 1), "u2": (0, 2**16 - 1), "b1": (0, 1), "bool": (0, 1),
}  # fmt: skip
LINKS = ("paper", "code", "slides", "video")
_DRAWS = {"constant": ("value",), "uniform": ("low", "high"), "normal": ("mean", "sd"), "integers": ("low", "high")}
_WORDS = {"title": 120, "abstract": 2000, "name": 80}
_NUMBER = (int, float)


def read_project(path: Path) -> tuple[Project, dict[str, bytes]]:
    """A project and its files, from a folder or an archive.

    Raises:
        SubmissionError: refused, with file, key and reason; the team mends it.
    """
    return _read(path.name, *receive_files(path, LIMIT_KB))


def read_project_bytes(
    name: str, raw: bytes, cores: int = MOST_CORES, limit_kb: int = LIMIT_KB
) -> tuple[Project, dict[str, bytes]]:
    """A project and its files, from an archive that arrived over a network.

    Args:
        cores: most that a claim may ask for.

    Raises:
        SubmissionError: refused, with file, key and reason.
    """
    project, files = _read(name, unpack(name, raw, limit_kb), hashlib.sha256(raw).hexdigest())
    for claim in project.claims:
        if claim.resources.cores > cores:
            wanted = f"asks for {claim.resources.cores} cores; the machines of this course lend {cores}"
            raise SubmissionError(f"{name}/{FILE}: the claim {claim.id} {wanted}")
    return project, files


def slug_of(words: str) -> str:
    """Lower-case letters, digits and hyphens, or nothing; what is long ends with a whole word."""
    whole = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return whole if len(whole) <= MOST_SLUG else whole[:MOST_SLUG].rpartition("-")[0] or whole[:MOST_SLUG]


def _read(name: str, files: dict[str, bytes], sha256: str) -> tuple[Project, dict[str, bytes]]:
    files = unwrapped(files, FILE)
    if FILE not in files:
        raise SubmissionError(f"{name}: there is no {FILE} in it")
    if len(files[FILE]) > MOST_WORDS:  # its parser is Python, in a service that others wait for
        raise SubmissionError(f"{name}/{FILE} has {len(files[FILE])} bytes, more than {MOST_WORDS}")
    # tomllib keeps every beginning of a dotted key
    if any(line.count(b".") > MOST_DOTS for line in files[FILE].splitlines()):
        raise SubmissionError(f"{name}/{FILE}: a line has more than {MOST_DOTS} dots")
    try:
        table = tomllib.loads(files[FILE].decode("utf-8"))
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of a number with five thousand digits
        raise SubmissionError(f"{name}/{FILE} is not TOML: {error}") from error
    slug = slug_of(name.partition(".")[0])
    if not slug or slug == "index":  # its page would lie in the place of the gallery
        raise SubmissionError(f"{name}: name the folder or archive with letters or digits, and not index")
    try:
        return read_table(table, files, f"{name}/{FILE}", slug, sha256), files
    except CourseError as error:
        raise SubmissionError(str(error)) from error


def read_table(table: Mapping[str, Any], files: Mapping[str, bytes], name: str, slug: str, sha256: str) -> Project:
    """A project from its file's tables.

    Args:
        name: of the file, for errors.

    Raises:
        CourseError: with the key that is wrong.
    """
    return _Reader(name, files).project(table, slug, sha256)


class _Reader(Signatures):
    """One `project.toml`."""

    def __init__(self, name: str, files: Mapping[str, bytes]) -> None:
        super().__init__(Path(name))
        self.files = files

    def project(self, data: Mapping[str, Any], slug: str, sha256: str) -> Project:
        allowed = {
            "title": str, "abstract": str, "team": list, "links": dict, "functions": dict, "claims": list,
        }  # fmt: skip
        top = self.take(data, "", allowed, ("title", "abstract", "team", "functions", "claims"))
        for name in ("solution.py", "adapter.py"):
            if name in self.files:
                self.refuse(name, "is a name that the sandbox needs for itself: call the file something else")
        functions = tuple(self.function(n, t, "functions.") for n, t in top["functions"].items())
        for f in functions:
            if f.name.startswith("_"):
                self.refuse(f"functions.{f.name}", "begins with an underscore")
            if any(a.role is not Role.IN for a in f.arguments):
                self.refuse(f"functions.{f.name}.arguments", "are values that go in: no out, callback or comm")
        links = self.take(top.get("links", {}), "links.", dict.fromkeys(LINKS, str))
        return Project(
            slug,
            self.words(top["title"], "title", "title"),
            self.words(top["abstract"], "abstract", "abstract"),
            self.team(top["team"]),
            {key: self.link(key, target) for key, target in links.items()},
            functions,
            self.claims(top["claims"], {f.name: f for f in functions}),
            sha256,
        )

    def words(self, text: str, key: str, kind: str) -> str:
        found = " ".join(text.split())
        if not found or len(found) > _WORDS[kind] or not found.isprintable():
            self.refuse(key, f"must be 1 to {_WORDS[kind]} printable characters, not {len(found)}")
        return found

    def team(self, rows: list[Any]) -> tuple[Member, ...]:
        if not 1 <= len(rows) <= MOST_TEAM:
            self.refuse("team", f"has 1 to {MOST_TEAM} members, not {len(rows)}")
        made = []
        for i, row in enumerate(rows):
            if not isinstance(row, dict):
                self.refuse(f"team[{i}]", "must be a table")
            parts = self.take(row, f"team[{i}].", {"name": str, "consent": bool}, ("name",))
            made.append(Member(self.words(parts["name"], f"team[{i}].name", "name"), parts.get("consent", False)))
        return tuple(made)

    def link(self, key: str, target: str) -> str:
        if re.fullmatch(r"https://[\w.-]+(?::\d+)?(?:/[\w./~%?=&#+,:@-]*)?", target) and len(target) <= 300:
            return target
        if PurePosixPath(target).suffix.lower() == ".pdf" and target in self.files:
            if not self.files[target].startswith(b"%PDF-"):
                self.refuse(f"links.{key}", f"{target} is no PDF")
            return target
        self.refuse(f"links.{key}", f"{target[:80]!r} is neither an https:// address nor a PDF among the files")

    def claims(self, rows: list[Any], functions: Mapping[str, Function]) -> tuple[Claim, ...]:
        if not 1 <= len(rows) <= MOST_CLAIMS:
            self.refuse("claims", f"must be 1 to {MOST_CLAIMS}, not {len(rows)}")
        made: list[Claim] = []
        for i, row in enumerate(rows):
            if not isinstance(row, dict):
                self.refuse(f"claims[{i}]", "must be a table")
            made.append(self.claim(row, f"claims[{i}].", functions))
            if made[-1].id in [c.id for c in made[:-1]]:
                self.refuse(f"claims[{i}].id", f"{made[-1].id!r} is used twice")
        return tuple(made)

    def claim(self, row: Mapping[str, Any], where: str, functions: Mapping[str, Function]) -> Claim:
        allowed: dict[str, type | tuple[type, ...]] = {
            **dict.fromkeys(("id", "title", "function", "baseline", "program", "kind"), str),
            **dict.fromkeys(("cores", "memory_mb"), int),
            **dict.fromkeys(("speedup", "rtol"), _NUMBER), "inputs": dict, "preload": list,
        }  # fmt: skip
        parts = self.take(
            row, where, allowed, ("id", "title", "function", "baseline", "program", "speedup", "rtol", "inputs")
        )
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", parts["id"]):
            self.refuse(f"{where}id", "must be lower-case letters, digits and hyphens, 32 at most")
        if parts["function"] not in functions:
            self.refuse(f"{where}function", f"{parts['function']!r} is not declared under [functions]")
        for key in ("baseline", "program"):
            if parts[key] not in self.files or not parts[key].endswith(".py"):
                self.refuse(f"{where}{key}", f"{parts[key]!r} is no .py file of the project")
        self.bounds(parts["speedup"], f"{where}speedup", 1e-3, 1e5)
        self.bounds(parts["rtol"], f"{where}rtol", 0.0, 0.5)
        kinds = [Kind.SERIAL, Kind.THREADS, Kind.GPU]
        kind = parts.get("kind", Kind.SERIAL)
        if kind not in kinds:
            self.refuse(f"{where}kind", f"must be one of {', '.join(kinds)}")
        cores, memory_mb = parts.get("cores", 1), parts.get("memory_mb", 2048)
        self.bounds(cores, f"{where}cores", 1, MOST_CORES)
        self.bounds(memory_mb, f"{where}memory_mb", 64, MOST_MB)
        preload = tuple(parts.get("preload", ["numpy"]))
        if not all(isinstance(m, str) and re.fullmatch(r"[\w.]+", m) for m in preload):
            self.refuse(f"{where}preload", "must be names of Python modules")
        return Claim(
            parts["id"], self.words(parts["title"], f"{where}title", "title"), parts["function"], parts["baseline"],
            parts["program"], float(parts["speedup"]), float(parts["rtol"]), Kind(kind),
            Resources(cores, memory_mb, processes=128, scratch_mb=256, preload=preload),
            self.inputs(parts["inputs"], functions[parts["function"]], f"{where}inputs."),
        )  # fmt: skip

    def bounds(self, value: Any, key: str, low: float, high: float) -> None:
        if not low <= value <= high:  # NaN is refused, too
            self.refuse(key, f"must be between {low:g} and {high:g}")

    def inputs(self, table: Mapping[str, Any], function: Function, where: str) -> dict[str, Draw]:
        known = {a.name: a for a in function.arguments}
        for name in {*known, *table}:
            if name not in table or name not in known:
                self.refuse(f"{where}{name}", "is missing" if name in known else f"is no argument of {function.name}")
        made = {name: self.draw(table[name], known[name], f"{where}{name}") for name in known}
        self.bounded(made, function, where[:-1])
        if not any(_fresh(d) for d in made.values()):
            self.refuse(
                where[:-1],
                f"repeat themselves: draw one at least, from {LEAST_VALUES} values or more, or a program could remember its answers",
            )
        return made

    def bounded(self, made: Mapping[str, Draw], function: Function, where: str) -> None:
        """The judge holds inputs and results: neither may be larger than it can."""
        sizes: dict[str, int] = {}
        for argument in function.arguments:
            draw = made[argument.name]
            if argument.type.scalar == "int":
                sizes[argument.name] = int(max(draw.low, draw.high, 0))
            for dim, n in zip(argument.type.dims, draw.shape, strict=True):
                if dim.name and sizes.setdefault(dim.name, n - dim.offset) != n - dim.offset:
                    self.refuse(where, f"the axis {dim} has two lengths")
        for kind in function.returns:
            for dim in kind.dims:
                if dim.name and dim.name not in sizes:
                    self.refuse(where, f"no argument of {function.signature} says how long the axis {dim} is")
        shapes = [d.shape for d in made.values()]
        shapes += [tuple(max(sizes.get(d.name, 0) + d.offset, 0) for d in kind.dims) for kind in function.returns]
        total = sum(8 * math.prod(shape) for shape in shapes)
        if total > MOST_BYTES:
            self.refuse(where, f"and results hold {total >> 20} MiB, more than {MOST_BYTES >> 20}")

    def draw(self, value: Any, argument: Argument, where: str) -> Draw:
        if isinstance(value, (bool, int, float)):
            value = {"draw": "constant", "value": value}
        if not isinstance(value, dict):
            self.refuse(where, "is a number, or a table { draw = …, shape = […] }")
        how = value.get("draw", "")
        if not isinstance(how, str) or how not in _DRAWS:
            self.refuse(f"{where}.draw", f"must be one of {', '.join(_DRAWS)}")
        keys = _DRAWS[how]
        numbers = dict.fromkeys(keys, (int, float, bool) if how == "constant" else _NUMBER)
        parts = self.take(value, f"{where}.", {"draw": str, "shape": list, **numbers}, ("draw", *keys))
        if any(abs(parts[k]) > LARGEST for k in keys):  # an integer may be larger than any float
            self.refuse(where, f"numbers beyond {LARGEST:g} are not drawn")
        low, high = (*(float(parts[k]) for k in keys), 0.0)[:2]
        ordered = low < high if how in ("uniform", "integers") else how == "constant" or high >= 0
        if not (math.isfinite(low) and math.isfinite(high) and ordered):
            self.refuse(
                where, f"{' and '.join(keys)} must be finite and in this order, a standard deviation not negative"
            )
        shape = tuple(parts.get("shape", ()))
        dims = argument.type.dims
        if len(shape) != len(dims) or not all(type(n) is int and 0 < n < 1 << 31 for n in shape):
            self.refuse(f"{where}.shape", f"{argument} needs {len(dims)} positive whole numbers")
        for n, dim in zip(shape, dims, strict=True):
            if not dim.name and n != dim.offset:
                self.refuse(f"{where}.shape", f"{argument}: the axis {dim} is {n}")
        free = (-MOST_WHOLE, MOST_WHOLE) if how == "integers" else (-math.inf, math.inf)
        least, most = _WHOLE.get(argument.type.scalar or argument.type.dtype, free)
        last = high - 1 if how == "integers" else low
        exact = how == "integers" or (how == "constant" and low == int(low))
        if math.isfinite(most) and not (exact and least <= low and last <= most):
            self.refuse(where, f"{argument} needs whole numbers from {least} to {most}")
        return Draw(how, low, high, shape)


def _fresh(draw: Draw) -> bool:
    """Whether no two calls are likely to get the same."""
    if draw.how == "integers":
        return math.log(draw.high - draw.low) * math.prod(draw.shape) >= math.log(LEAST_VALUES)
    spread, size = draw.high - draw.low, max(abs(draw.low), abs(draw.high))
    if draw.how == "normal":
        spread, size = draw.high, abs(draw.low)
    return draw.how != "constant" and spread > 0 and spread >= LEAST_SPREAD * size
