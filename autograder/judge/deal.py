"""Dealing one problem to the ranks of a world, and what a world gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from autograder.domain.assignment import Argument, Function, Role
from autograder.errors import CourseError
from autograder.judge.buffers import Array


@runtime_checkable
class Deal(Protocol):
    """A value that any number of ranks can be dealt; a list of as many values as there are ranks is another."""

    def split(self, ranks: int) -> list[Any]:
        """One value per rank."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array in blocks of whole rows, as even as they can be: the first ranks get one row more.

    More ranks than rows leave the last ones with none.
    """

    whole: Array

    def split(self, ranks: int) -> list[Array]:
        """Copies, so that no block is a view of another's memory."""
        return [np.ascontiguousarray(block) for block in np.array_split(self.whole, ranks)]


def ranks_of(function: Function, bound: list[tuple[Argument, Any]]) -> int:
    """How many ranks a check asks for: the value it gives for the communicator; 0 for a function without one.

    Raises:
        CourseError: no whole number from 1 to 16.
    """
    found = [value for argument, value in bound if argument.role is Role.COMM]
    if not found:
        return 0
    if not isinstance(found[0], (int, np.integer)) or not 1 <= found[0] <= 16:
        raise CourseError(function.name, f"{function.comm} is the number of ranks, from 1 to 16, not {found[0]!r}")
    return int(found[0])


def deal(function: Function, bound: list[tuple[Argument, Any]], ranks: int) -> list[list[tuple[Argument, Any]]]:
    """The arguments of every rank.

    Raises:
        CourseError: a dealt argument has not one value per rank.
    """
    shares: list[list[tuple[Argument, Any]]] = [[] for _ in range(ranks)]
    for argument, value in bound:
        values = [value] * ranks
        if argument.dealt:
            values = value.split(ranks) if isinstance(value, Deal) else list(value)
            if len(values) != ranks:
                raise CourseError(function.name, f"{argument.name!r} has {len(values)} values for {ranks} ranks")
        for share, mine in zip(shares, values, strict=True):
            share.append((argument, mine))
    return shares


def nbytes(value: Any) -> int:
    """Bytes of an argument or a result, however it is dealt."""
    if isinstance(value, Rows):
        return value.whole.nbytes
    if isinstance(value, (list, tuple)):
        return sum(map(nbytes, value))
    return int(np.asarray(value).nbytes)
