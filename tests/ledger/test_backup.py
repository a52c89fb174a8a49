"""Back up, destroy, restore, compare; from either database to either."""

from __future__ import annotations

import tarfile

import pytest

from autograder.errors import LedgerError
from autograder.ledger.backup import backup, restore
from autograder.ledger.store import Ledger
from tests.ledger.conftest import verdict


def told(ledger):
    """All that anybody was ever told."""
    return (
        ledger.entries("c"), ledger.receipts("c"), [ledger.content(e.id) for e in ledger.entries("c")],
        [ledger.grade_json(e.id) for e in ledger.entries("c")], ledger.audit(), ledger.members("c"), ledger.counts(),
        ledger.artefact("c", "released", "a02"), ledger.reviews(1), ledger.criteria("c", "a02"),
    )  # fmt: skip


@pytest.fixture
def lived(hand_in, ledger):
    """A ledger with something of everything."""
    ledger.enrol("c", "ada", "student")
    for i in range(30):
        hand_in(f"s{i}", f"{i}".encode())
    for _ in range(20):
        ledger.record(ledger.lease("n", free=1, hold_s=30), verdict())
    ledger.lease("n", free=1, hold_s=30)
    ledger.review(1, by="tess", points=1, reason="ünïcode\n")
    ledger.put_artefact("c", "released", "a02", "", "s", b"tar", by="ines")
    return ledger


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_restored_ledger_says_the_same(lived, tmp_path, clock, target, request):
    """And goes on where the old one stopped."""
    before = told(lived)
    backup(lived, tmp_path / "b.tar")
    url = request.getfixturevalue("fresh_postgres")() if target == "postgresql" else ""
    again = Ledger.open(url, tmp_path / "elsewhere", clock)
    restore(again, tmp_path / "b.tar")
    assert told(again) == before
    new = again.submit(course="c", assignment="a02", student="zoe", name="s.py", content=b"new", channel="api")
    assert new.submission == 31 and again.verify_audit() == lived.verify_audit() + 1
    again.close()


def test_a_backup_never_goes_over_a_living_ledger(lived, tmp_path):
    """Restoring is for empty places."""
    backup(lived, tmp_path / "b.tar")
    with pytest.raises(LedgerError, match="not empty"):
        restore(lived, tmp_path / "b.tar")


@pytest.mark.parametrize("damage", ["cut", "blob", "rows"])
def test_a_damaged_backup_changes_nothing(lived, tmp_path, clock, damage):
    """All or nothing, and it says what is wrong."""
    whole = tmp_path / "b.tar"
    backup(lived, whole)
    broken = tmp_path / "broken.tar"
    if damage == "cut":
        broken.write_bytes(whole.read_bytes()[:20_000])
    else:
        with tarfile.open(whole) as source, tarfile.open(broken, "w") as target:
            for member in source:
                content = source.extractfile(member).read()
                if damage == "blob" and member.name.startswith("blobs/"):
                    content = b"?" * len(content)
                if damage == "rows" and member.name == "rows/grade.jsonl":
                    content = content.splitlines()[0]
                member.size = len(content)
                import io

                target.addfile(member, io.BytesIO(content))
    again = Ledger.open("", tmp_path / "elsewhere", clock)
    with pytest.raises(LedgerError):
        restore(again, broken)
    assert again.entries("c") == [] and again.verify_audit() == 0
    again.close()


def test_nobody_else_on_the_machine_reads_it(tmp_path):
    """Folder, database, blobs and backup, also where an older version left them open."""
    folder = tmp_path / "state"
    Ledger.open(folder=folder).close()
    assert folder.stat().st_mode & 0o777 == 0o700
    for _ in range(2):
        ledger = Ledger.open(folder=folder)
        ledger.submit(course="c", assignment="a02", student="ada", name="s.py", content=b"x", channel="api")
        backup(ledger, tmp_path / "b.tar")
        ours = (folder / "ledger.db", folder / "ledger.db-wal", folder / "blobs", tmp_path / "b.tar")
        assert not any(path.stat().st_mode & 0o077 for path in ours)
        ledger.close()
        for path in (folder, folder / "blobs"):
            path.chmod(0o755)
        for path in (folder / "ledger.db", tmp_path / "b.tar"):
            path.chmod(0o644)
