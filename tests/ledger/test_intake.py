"""Bytes, rows, receipts."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.orm import Session

from autograder.errors import BlobLost, LedgerError
from autograder.ledger.models import Chain


def test_a_receipt_names_hash_time_and_row(hand_in, ledger, clock):
    """What the student holds in hand leads to the bytes."""
    receipt = hand_in()
    assert ledger.receipt(receipt.id) == receipt
    assert ledger.content(receipt.submission) == b"x = 1"
    assert receipt.received_at == clock.now and not receipt.duplicate and receipt.size == 5


def test_the_same_bytes_twice_are_one_submission_and_two_receipts(hand_in, ledger):
    """A nervous student does not fill the queue."""
    first, second = hand_in(), hand_in()
    assert first.submission == second.submission and first.id != second.id and second.duplicate
    assert len(ledger.entries("c")) == 1 and len(ledger.receipts("c", student="ada")) == 2


def test_the_same_bytes_of_another_student_are_another_submission(hand_in, ledger):
    """Nobody learns from the ledger who else handed these in."""
    assert hand_in("ada").submission != hand_in("bob").submission


def test_the_same_bytes_at_once_are_one_submission(hand_in, ledger):
    """Twenty clicks in twenty threads."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(hand_in())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({r.submission for r in found}) == 1 and len({r.id for r in found}) == 20
    assert sum(not r.duplicate for r in found) == 1


def test_a_full_disk_gives_no_receipt(hand_in, ledger, monkeypatch):
    """What could not be written was not taken in."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LedgerError, match="could not be stored: No space"):
        hand_in()
    monkeypatch.undo()
    assert ledger.entries("c") == [] and ledger.receipts("c") == [] and list(ledger.blobs) == []


def test_a_changed_blob_is_noticed(hand_in, ledger):
    """Bit rot is never graded."""
    receipt = hand_in()
    ledger.blobs.path(receipt.sha256).write_bytes(b"x = 2")
    with pytest.raises(BlobLost, match="has changed on disk"):
        ledger.content(receipt.submission)


def test_a_blob_that_is_lost_is_not_one_whose_storage_is_away(hand_in, ledger, tmp_path, monkeypatch):
    """A missing or changed file is lost; no folder, an empty one, or too many open files say nothing."""
    digest = hand_in().sha256
    folder, path = ledger.blobs.folder, ledger.blobs.path(digest)
    for empty in (False, True):
        folder.rename(tmp_path / "unmounted")
        if empty:
            folder.mkdir()
        with pytest.raises(LedgerError) as away:
            ledger.blobs.get(digest)
        assert not isinstance(away.value, BlobLost)
        if empty:
            folder.rmdir()
        (tmp_path / "unmounted").rename(folder)

    def refuse(_path):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "read_bytes", refuse)
        with pytest.raises(LedgerError, match="Too many open files") as away:
            ledger.blobs.get(digest)
        assert not isinstance(away.value, BlobLost)
    path.unlink()
    with pytest.raises(BlobLost, match="missing"):
        ledger.blobs.get(digest)


def test_a_changed_blob_is_mended_by_the_same_bytes(hand_in, ledger):
    """A second receipt is not for what cannot be read."""
    receipt = hand_in()
    content = ledger.content(receipt.submission)
    ledger.blobs.path(receipt.sha256).write_bytes(bytes(len(content)))
    assert ledger.content(hand_in().submission) == content


def test_entries_are_scoped_by_course_and_student(hand_in, ledger):
    """No query leaks across."""
    hand_in("ada")
    hand_in("bob", course="other")
    assert [e.student for e in ledger.entries("c")] == ["ada"]
    assert ledger.entries("c", student="bob") == [] and ledger.receipts("c", student="bob") == []


def test_the_newest_artefact_counts_and_withdrawn_ones_are_hidden(ledger):
    """Releases are replaced, never overwritten."""
    for content in (b"one", b"two"):
        ledger.put_artefact("c", "released", "a02", "", "s", content, by="ines")
    assert ledger.artefact("c", "released", "a02") == b"two" and len(ledger.artefacts("c", "released")) == 1
    assert ledger.artefact("other", "released", "a02") is None
    ledger.withdraw_artefact("c", "released", "a02", by="ines")
    assert ledger.artefact("c", "released", "a02") is None


def test_tokens_refill_with_time(ledger, clock):
    """Nobody floods the node; waiting helps."""
    spend = lambda: ledger.spend("try:ada", capacity=2, refill_per_s=0.1)  # noqa: E731
    assert [spend(), spend()] == [0.0, 0.0] and spend() == pytest.approx(10)
    clock.advance(10)
    assert spend() == 0.0 and spend() > 0
    ledger.refund("try:ada", capacity=2)
    assert spend() == 0.0


def test_a_changed_audit_is_noticed(hand_in, ledger):
    """The log cannot be edited in silence."""
    from sqlalchemy import text

    hand_in("ada"), hand_in("bob")
    assert ledger.verify_audit() == 2
    with ledger.database.writes() as session:
        session.execute(text("UPDATE audit SET who = 'eve' WHERE seq = 1"))
    with pytest.raises(LedgerError, match="changed at row 1"):
        ledger.verify_audit()


def test_a_cut_audit_is_noticed(hand_in, ledger):
    """Nor can its end be removed."""
    from sqlalchemy import text

    hand_in("ada"), hand_in("bob")
    with ledger.database.writes() as session:
        session.execute(text("DELETE FROM audit WHERE seq = 2"))
    with pytest.raises(LedgerError, match="cut after row 1"):
        ledger.verify_audit()


def test_a_review_stands_beside_the_grade(hand_in, ledger):
    """Never over it."""
    receipt = hand_in()
    ledger.review(receipt.submission, by="tess", points=7, reason="partial credit")
    assert [(r["by"], r["points"]) for r in ledger.reviews(receipt.submission)] == [("tess", 7)]
    assert ledger.entry(receipt.submission).score is None
    with pytest.raises(LedgerError):
        ledger.review(999, by="tess", points=1, reason="")


def test_an_audit_that_grows_while_it_is_verified_was_not_cut(hand_in, ledger, monkeypatch):
    """Its rows and its end are read as of one moment; what is handed in between the two is checked next time."""
    hand_in()
    real, late = Session.get, []

    def get(session, *given, **more):
        if given[0] is Chain and not late and not more:  # a reader, at the end of the rows
            late.append(True)
            hand_in("bob")
        return real(session, *given, **more)

    monkeypatch.setattr(Session, "get", get)
    assert ledger.verify_audit() == 1 and late
    assert ledger.verify_audit() == 2
