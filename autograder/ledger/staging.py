"""Verdicts of regrades that wait beside the grade that counts, until staff make them live or discard them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from autograder.domain.record import Purpose, State
from autograder.ledger import audit, queue
from autograder.ledger.database import Database
from autograder.ledger.models import GradeRow, ReceiptRow, Review, Submission


class StagedGrades:
    """The part of the ledger about grades that do not count yet, and about which do."""

    database: Database
    clock: Callable[[], datetime]

    def staged(self, course: str, assignment: str | None = None) -> dict[int, dict[str, Any]]:
        """Submission → its staged regrade.

        Returns:
            `grade`: the number of the new verdict, None while it is under way; `score` and `body` of it, or None.
        """
        query = (
            select(Submission.id, GradeRow)
            .outerjoin(GradeRow, Submission.staged_grade == GradeRow.id)
            .where(Submission.course == course, (Submission.staged != "") | Submission.staged_grade.is_not(None))
            .order_by(Submission.id)
        )
        if assignment is not None:
            query = query.where(Submission.assignment == assignment)
        with self.database.reads() as session:
            return {
                identity: {
                    "grade": row.id if row else None,
                    "score": row.score if row else None,
                    "body": json.loads(row.body) if row else None,
                }
                for identity, row in session.execute(query)
            }

    def make_live(self, ids: Iterable[int], *, by: str, seen: dict[int, int] | None = None) -> list[int]:
        """Makes staged verdicts the ones that count, all or none; what has none staged is left as it is.

        Args:
            ids: submissions.
            seen: submission → number of the verdict that was looked at; another one is not made live.

        Returns:
            Submissions whose grade changed hands.
        """
        done = []
        with self.database.writes() as session:
            for row in session.scalars(_locked(ids)):
                if row.staged_grade is None or (seen is not None and seen.get(row.id) != row.staged_grade):
                    continue
                old = session.get(GradeRow, row.grade) if row.grade is not None else None
                new = session.get_one(GradeRow, row.staged_grade)
                row.grade, row.staged_grade, row.state, row.problem = new.id, None, State.GRADED, ""
                before = old.score if old else None
                audit.append(
                    session, self.clock(), by, "made live", f"submission {row.id}", before=before, score=new.score
                )
                done.append(row.id)
        return done

    def discard(self, ids: Iterable[int], *, by: str) -> list[int]:
        """Drops staged verdicts, and staged regrades that are under way; the old grades stand.

        Returns:
            Submissions that had one.
        """
        done = []
        with self.database.writes() as session:
            for row in session.scalars(_locked(ids)):
                if not row.staged and row.staged_grade is None:
                    continue
                if row.staged:  # whoever grades it now has lost the lease
                    queue.end(session, self.clock(), row.id, row.token, "discarded", "")
                    row.token += 1
                    row.state, row.staged, row.priority = row.staged, "", queue.LIVE
                    row.holder, row.lease_until = "", None
                row.staged_grade = None
                audit.append(session, self.clock(), by, "discarded", f"submission {row.id}")
                done.append(row.id)
        return done

    def marks(self, course: str) -> dict[tuple[str, str], str]:
        """(assignment, student) → what counts now, as a word that changes whenever grade or review do.

        It is the newest receipt's submission that counts, as in nbgrader; without a grade it has no mark, unless staff,
        with whom it is, gave points.
        """
        reviews = select(func.max(Review.id)).where(Review.submission == Submission.id).scalar_subquery()
        query = (
            select(
                Submission.assignment, Submission.student, Submission.id, Submission.grade, Submission.state, reviews
            )
            .join(ReceiptRow, ReceiptRow.submission == Submission.id)
            .where(Submission.course == course, Submission.purpose == Purpose.GRADE)
            .order_by(ReceiptRow.at, ReceiptRow.id)
        )
        with self.database.reads() as session:
            last = {(row[0], row[1]): row for row in session.execute(query)}
        return {
            key: f"{row[2]}:{row[3]}:{row[5] or 0}"
            for key, row in last.items()
            if row[4] in (State.GRADED, State.STAFF, State.WAITING)
            and (row[3] is not None or (row[5] and row[4] == State.STAFF))
        }


def _locked(ids: Iterable[int]) -> Any:
    """In one order, so that two who decide at once wait for each other instead of for ever."""
    return select(Submission).where(Submission.id.in_(list(ids))).order_by(Submission.id).with_for_update()
