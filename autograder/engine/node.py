"""One machine that grades: slots of cores, guests ahead of need, warm references, a judge process per grading."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import secrets
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, Self

from autograder.course.load import course_folder
from autograder.domain.assignment import Assignment, Kind
from autograder.domain.device import real
from autograder.domain.grade import Grade
from autograder.domain.submission import Submission
from autograder.domain.verdict import Verdict
from autograder.engine import worker
from autograder.engine.failure import failed
from autograder.engine.options import Options
from autograder.engine.planted import Bench
from autograder.engine.pool import Pool
from autograder.engine.warm import Warm
from autograder.errors import CourseError, MachineError, SandboxError
from autograder.judge.grading import ALARM, GOES_ON, WAITS, Hand, Job
from autograder.measure.room import Room
from autograder.sandbox.base import Guest
from autograder.sandbox.children import safe_path
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.owner import another
from autograder.sandbox.process import NotIsolated
from autograder.sandbox.profile import Profile
from autograder.sandbox.reaper import FAREWELL, sweep
from autograder.sandbox.state import state_folder

log = logging.getLogger("autograder.node")
LONGEST_WAIT_S = 3600.0  # for others to have measured: then their node hangs
PATIENCE = ALARM + 1  # times a grading's limit: longest silence of a judge, whose own alarm rings before
TRIES = 2  # a failure of ours, or an inconclusive duel, is tried once more before staff are asked
Say = Callable[[dict[str, Any]], None]


class Node:
    """Grades submissions; use as a context manager, so that nothing is left behind.

    Attributes:
        owner: the name that its containers carry.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.owner = another()
        self.state = state_folder()
        self._sandbox = worker.sandbox_of(self.options.kind, self.owner)
        self._reaper = self._start_reaper()
        self._pool = Pool(self._sandbox, lambda: Room(self.state))
        self._warm = Warm(self._pool)
        self._gpus: SimpleQueue[str] = SimpleQueue()
        for gpu in self.options.gpus:
            self._gpus.put(gpu)
        self._images: dict[str, str] = {}
        self._left: SimpleQueue[str] = SimpleQueue()  # labels of jobs whose judges' own containers are to be removed
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(worker.PRELOAD)
        with safe_path():
            forkserver.ensure_running()  # it imports while the first containers start

    def _start_reaper(self) -> subprocess.Popen[bytes] | None:
        if self.options.kind == "subprocess":
            warnings.warn(
                "student code will run as ordinary processes with your rights: not isolated, never recorded as a grade",
                NotIsolated,
                stacklevel=3,
            )
            return None
        assert isinstance(self._sandbox, ContainerSandbox)
        self._sandbox.image_id(self.options.image)
        sweep(self._sandbox)
        command = [sys.executable, "-P", "-m", "autograder.sandbox.reaper", self.owner]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # ourselves

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every guest, waits until all is removed, lets the reaper go."""
        self._warm.close()
        self._pool.close()
        if isinstance(self._sandbox, ContainerSandbox):
            self._sandbox.release()
        reaper, self._reaper = self._reaper, None
        if reaper is not None:
            with contextlib.suppress(OSError):  # it was ended by somebody else
                reaper.communicate(FAREWELL)

    # grading

    def grade(
        self, assignment: Assignment, submission: Submission, *, seed: str = "", only: str = "", public_only: bool = False,
        trial: bool = False, brief: bool = False, cores: tuple[int, ...] = (), say: Say = lambda _: None,
    ) -> Grade:  # fmt: skip
        """One submission, to its verdict.

        Args:
            seed: replays a recorded entropy; empty draws fresh bytes from the OS.
            trial: public criteria and duels alone, one process pair; a try, never a grade.
            brief: end at the first failed check that is worth points: whether there is one, and no grade.
            cores: the slot; empty takes the last cores of the machine.
            say: progress.

        Raises:
            CourseError: the assignment is wrong.
        """
        if only and only not in (c.id for c in assignment.criteria):
            raise CourseError(
                f"{assignment.slug}: criterion {only!r}",
                f"is not declared; there are {', '.join(c.id for c in assignment.criteria)}",
            )
        cores = cores or self.slots(assignment)[-1]
        with self._gpu(assignment) as gpu:
            return self._tries(assignment, submission, seed, only, public_only, trial, brief, cores, gpu, say)

    @contextmanager
    def _gpu(self, assignment: Assignment) -> Iterator[str]:
        """One of this machine's GPUs, for one grading alone; empty where none is needed, or none is there."""
        if assignment.kind is not Kind.GPU or not self.options.gpus:
            yield ""
            return
        gpu = self._gpus.get()
        try:
            yield gpu
        finally:
            self._gpus.put(gpu)

    def _tries(
        self, assignment: Assignment, submission: Submission, seed: str, only: str, public_only: bool, trial: bool,
        brief: bool, cores: tuple[int, ...], gpu: str, say: Say,
    ) -> Grade:  # fmt: skip
        begun = time.perf_counter()
        result: Grade | None = None
        problem, entropy = "", seed or secrets.token_hex(16)  # of both: who provokes the second finds the same inputs
        guest_s = 0.0
        for attempt in range(1, TRIES + 1):
            job = self._job(assignment, submission, entropy, only, public_only, cores, gpu, attempt)
            job = replace(job, trial=trial, brief=brief, pairs=1 if trial else job.pairs)
            try:
                result = self._attempt(job, say)
            except SandboxError as error:
                problem = str(error)
                say({"phase": "retry", "problem": problem})
                continue
            guest_s += float(result.engine.get("guest_s", 0.0))
            if not result.ours:
                break
        wall = time.perf_counter() - begun
        if result is None:
            result = failed(assignment, submission, problem, [c for c in assignment.criteria if job.asks_for(c)])
        engine = {**result.engine, "guest_s": round(guest_s, 4)}  # of all tries
        return replace(result, engine=engine, wall_s=wall, overhead_s=wall - guest_s)

    def grade_many(
        self,
        assignment: Assignment,
        submissions: Sequence[Submission],
        say: Callable[[int, dict[str, Any]], None] = lambda _i, _n: None,
        only: Sequence[str] = (),
        brief: Sequence[bool] = (),
    ) -> Iterator[tuple[int, Grade]]:
        """A class, as many at once as there are slots; yields (index, grade) as they end.

        Args:
            only: a criterion for each submission, or empty strings for whole gradings; none at all likewise.
            brief: for each whether to end at the first check that fails; none at all: nobody.
        """
        free: SimpleQueue[tuple[int, ...]] = SimpleQueue()
        slots = self.slots(assignment)
        for slot in slots:
            free.put(slot)

        def one(index: int) -> Grade:
            cores = free.get()
            try:
                return self.grade(
                    assignment, submissions[index], only=only[index] if only else "", brief=bool(brief and brief[index]),
                    cores=cores, say=lambda news: say(index, news),
                )  # fmt: skip
            finally:
                free.put(cores)

        threads = ThreadPoolExecutor(len(slots), thread_name_prefix="slot")
        try:
            running = {threads.submit(one, i): i for i in range(len(submissions))}
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            threads.shutdown(cancel_futures=True)  # who stops listening waits for what is under way, not for a class

    def slots(self, assignment: Assignment) -> list[tuple[int, ...]]:
        """Disjoint groups of cores, as large as the assignment asks for.

        Raises:
            MachineError: this machine has fewer cores.
        """
        cores = sorted(os.sched_getaffinity(0))
        size = assignment.resources.cores
        if len(cores) < size:
            raise MachineError(f"{assignment.slug} asks for {size} cores, this machine has {len(cores)}")
        groups = [tuple(cores[i : i + size]) for i in range(0, len(cores) - size + 1, size)]
        if assignment.kind is Kind.GPU and self.options.gpus:
            groups = groups[-len(self.options.gpus) :]
        return groups[-self.options.slots :] if self.options.slots else groups

    def answers(self) -> bool:
        """Whether the container engine is there; a grading that fails while it is not charges nobody."""
        return not isinstance(self._sandbox, ContainerSandbox) or self._sandbox.answers()

    def bench(self, kernel_s: float, gpu: str = "") -> Bench:
        """Guests with a planted kernel, on the cores where serial submissions are graded, or on a GPU."""
        cores = sorted(os.sched_getaffinity(0))
        return Bench(self._sandbox, self.options, (cores[-1],), self.state, kernel_s, gpu)

    @contextmanager
    def guest(self, profile: Profile, room: Room) -> Iterator[Guest]:
        """A fresh guest for something that is no grading, started while it is the caller's turn; ended here.

        Raises:
            SandboxError: it did not start.
            MachineError: this node isolates nothing.
        """
        if not self._sandbox.isolated:
            raise MachineError("this node isolates nothing; what is no grading is not run on it")
        with room.shared():
            made = self._sandbox.start(profile, "cells")
        try:
            yield made
        finally:
            self._pool.bury(made)

    # one attempt

    def _job(
        self,
        assignment: Assignment,
        submission: Submission,
        entropy: str,
        only: str,
        public_only: bool,
        cores: tuple[int, ...],
        gpu: str,
        attempt: int,
    ) -> Job:
        name = self.options.gpu_image if real(gpu) else self.options.image
        profile = Profile.of(assignment, self._image(name), cores, self.options.weakened, gpu)
        references = self.options.references or course_folder().parent / "reference"
        return Job(
            assignment, submission, profile, references, self.state, entropy, only, public_only, self.options.pairs,
            label=secrets.token_hex(8), attempt=attempt,
        )  # fmt: skip

    def _image(self, name: str) -> str:
        """By its content: a name that is given to a new image meanwhile must not set one against the other in a duel."""
        if isinstance(self._sandbox, ContainerSandbox):
            with contextlib.suppress(MachineError):  # whoever starts a guest of it will say what is wrong
                self._images[name] = self._sandbox.image_id(name)
        return self._images.get(name, name)

    def _attempt(self, job: Job, say: Say) -> Grade:
        timed = not (job.public_only or job.waits or job.brief) and any(
            c.kind.timed and job.only in ("", c.id) for c in job.assignment.criteria
        )
        if self.options.kind == "subprocess":
            return self._judge(job, [], [], say, [])  # the judge starts plain processes itself, and they die with it
        count = job.pairs if timed else 1
        warm = timed and not job.assignment.own_reference  # what a team handed in serves nobody else
        if not warm:  # a GPU has one tenant; whoever borrows displaces the others
            self._warm.vacate(job.profile.device)
        references = self._warm.borrow(job, count) if warm else []
        wanted = job.profiles if timed else job.profiles[:1]
        hands: list[Hand] = []
        started: list[str] = [job.label]  # until the judge has ended well, it may have started containers of its own
        try:
            for profile in wanted:
                self._pool.prime(profile, count)  # all on their way before the first is waited for
            for profile in wanted:
                hands += [Hand(g) for g in self._pool.take(profile, count)]
            grade = self._judge(job, hands, references, say, started)
            if any(c.verdict is Verdict.GRADER_FAILED for c in grade.criteria):
                for hand in references:  # whatever it was, the next try has nothing of it
                    hand.broken = True
            return grade
        finally:
            for hand in hands:
                self._pool.bury(hand.guest)
            self._warm.give_back(job, references)
            if started:
                self._left.put(job.label)
            self._clear()

    def _clear(self) -> None:
        """Removes what judges started for themselves; what cannot be removed now is tried again: no grade depends on it."""
        for _ in range(self._left.qsize()):
            with contextlib.suppress(Empty):  # another grading was quicker
                label = self._left.get_nowait()
                try:
                    if isinstance(self._sandbox, ContainerSandbox):
                        self._sandbox.remove_labelled(label)
                except SandboxError as error:
                    log.warning("containers of job %s are removed later: %s", label, error)
                    self._left.put(label)

    def _judge(self, job: Job, hands: list[Hand], references: list[Hand], say: Say, started: list[str]) -> Grade:
        ours, theirs = self._context.Pipe(duplex=False)
        arguments = (job, hands, references, self.options.kind, self.owner, theirs)
        process = self._context.Process(target=worker.main, args=arguments, daemon=True)
        process.start()
        theirs.close()
        ahead = (
            [] if job.assignment.own_reference else hands
        )  # a claim asks for resources that nobody else will ask for
        if not references:
            self._start_ahead(ahead)
        try:
            return _listen(ours, references, say, started, PATIENCE * job.assignment.limits.grading_s)
        except CourseError:
            raise
        except (SandboxError, EOFError, OSError) as error:
            for hand in references:
                hand.broken = True  # it may be in the middle of a turn
            raise SandboxError(str(error) or "the judge process died") from error
        finally:
            if references:
                self._start_ahead(ahead)
            ours.close()
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _start_ahead(self, hands: list[Hand]) -> None:
        """The next submission's guests: while this one is judged, or behind it where rounds would wait for that."""
        for hand in hands:
            self._pool.prime(hand.guest.profile, sum(h.guest.profile == hand.guest.profile for h in hands))


def _listen(pipe: Connection, references: list[Hand], say: Say, started: list[str], silence_s: float) -> Grade:
    """Follows a judge to its end; empties `started` if it ended well without containers of its own.

    Args:
        silence_s: longest time without a word: a judge that works says what it checks. One that waits for others has said so.
    """
    own, waits, last = False, False, dict[str, Any]()
    while True:
        if not pipe.poll(LONGEST_WAIT_S if waits else silence_s):
            raise SandboxError("the judge did not end in time")
        try:
            kind, content = pipe.recv()
        except EOFError:
            raise SandboxError("the judge process died") from None
        waits = kind == "news" and content.get("phase") == WAITS
        if kind == "news":
            goes_on = content.get("phase") == GOES_ON
            last = last if waits or goes_on else content
            if told := last if goes_on else content:  # what was being done is being done again
                say(told)
        elif kind == "references":
            for hand, (loaded, broken) in zip(references, content, strict=True):
                hand.loaded, hand.broken = loaded, broken
        elif kind == "grade":
            assert isinstance(content, Grade)
            if not own:
                started.clear()
            return content
        elif kind == "started":
            own = True
        elif kind == "course":
            where, _, problem = content.partition(": ")
            raise CourseError(where, problem)
        else:
            raise SandboxError(content)
