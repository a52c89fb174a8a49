"""What the service needs of a grader: `autograder.api.Dispatcher` has it, and so has `NoGrader`."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from autograder.api import AutograderError


@runtime_checkable
class Subscription(Protocol):
    """News of one submission."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def get(self, timeout: float) -> dict[str, Any] | None:
        """The next news, or None when there is none in time."""


@runtime_checkable
class Grader(Protocol):
    """Takes submissions from the ledger and grades them."""

    def wake(self) -> None:
        """Something was submitted."""

    def nodes(self) -> list[dict[str, Any]]:
        """Name, cores, busy, gpu, last_seen_s, quarantined of each."""

    def examine(self, name: str) -> bool:
        """Asks for a node's A/A duel now; False when there is no such node."""

    def watch(self, submission: int) -> Subscription:
        """News of one submission from now on."""

    def on_recorded(self, call: Callable[[int], None]) -> None:
        """Calls back after a grade was committed."""

    def cells(self, submission: int, limit_s: float) -> dict[str, Any]:
        """What a submission's notebook shows when it is run. Waits; an `AutograderError` says why it cannot be had."""


class _Silence:
    """News that never come; whoever waits asks the ledger."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def get(self, timeout: float) -> dict[str, Any] | None:
        """None, at once."""
        return None


class NoGrader:
    """For a service that only takes in and shows: another process grades from the same ledger."""

    def wake(self) -> None:
        """Nobody to wake here."""

    def nodes(self) -> list[dict[str, Any]]:
        """None here."""
        return []

    def examine(self, name: str) -> bool:
        """Nobody to examine here."""
        return False

    def watch(self, submission: int) -> Subscription:
        """Silence."""
        return _Silence()

    def on_recorded(self, call: Callable[[int], None]) -> None:
        """Never called: grades are recorded elsewhere."""

    def cells(self, submission: int, limit_s: float) -> dict[str, Any]:
        """Nothing runs here."""
        raise AutograderError("this service has no nodes")
