"""Positive control: nobody loses a tier in rounds in which a program that deserves it does not earn it either.

Not every disturbance takes time from the cores, where it would be counted and the round dropped. Who shares a cache or the
memory's bandwidth slows one program by a third and spares another that stands beside it: a plain loop suffers, the
reference, blocked for the cache, does not, and a paired ratio is as wrong as it is precise. What tells is a program whose
worth is known. A laboratory would call it a positive control: where it fails, the assay has failed, not the sample.

So a loss within reach is tried again, in fresh rounds in which the control plays, too, and must win. Where it does and the
submission loses again, the loss stands; where the submission wins, it has the tier; where the control does not win, nobody
has lost anything. Losses become rarer by that in every case. A pass has two chances, so each of them gets half of α_P.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.domain.measurement import Control, Decision, DuelOutcome, Round
from autograder.measure.rotation import Rotation
from autograder.measure.statistics import Rule, Tiers, interval, median

ROLE = "control/"  # begins the role of a known program's guest; the file's name follows
REACH = 0.5  # of a threshold: what is slower is too slow on any machine that is worth a round


def disputable(tiers: Tiers) -> tuple[float, ...]:
    """Thresholds that were lost, but not by so much that no disturbance could explain it."""
    pairs = zip(tiers.thresholds, tiers.decisions, strict=True)
    return tuple(t for t, d in pairs if d is Decision.FAIL and median(tiers.ratios) >= REACH * t)


def halved(rule: Rule) -> Rule:
    """For each of two chances to pass."""
    return replace(rule, alpha_pass=rule.alpha_pass / 2)


def account(rotation: Rotation, rounds: Sequence[Round]) -> Control:
    """What controlled rounds say."""
    assert rotation.control is not None
    counted = [r for r in rounds if not r.dropped]
    known = median([r.control for r in counted]) if counted else 0.0
    again = median([r.ratio for r in counted]) if counted else 0.0
    tiers, doubt = rotation.tiers, ""
    won = [d is Decision.PASS for d in rotation.control.decisions]
    if rotation.noisy:
        won = [False] * len(won)
        doubt = f"{len(rounds) - len(counted)} of {len(rounds)} rounds beside a known program were disturbed"
    elif Decision.FAIL in rotation.control.decisions:
        lost = tiers.thresholds[rotation.control.decisions.index(Decision.FAIL)]
        doubt = f"a program that earns {lost:g}× on a quiet machine did not earn it in the same rounds ({known:.3g}×)"
    elif not all(won) or not tiers.settled:
        doubt = f"no decision after {len(counted)} rounds beside a known program"
    decisions = tuple(d if w else Decision.UNDECIDED for d, w in zip(tiers.decisions, won, strict=True))
    return Control(tiers.thresholds, decisions, known, again, tuple(rounds), doubt, tuple(tiers.rounds))


def controlled(outcome: DuelOutcome, control: Control) -> DuelOutcome:
    """The outcome, with the tiers in question as the controlled rounds have them.

    Where one of them is won now, the first rounds were the worse witness: speedup, interval and seconds are those of the others.
    The interval is the second of two then, and which of them is shown depends on what they say: either may miss.
    """
    said = {t: (d, n) for t, d, n in zip(control.thresholds, control.decisions, control.after, strict=True)}
    again = [(t, *said.get(t.threshold, (t.decision, t.rounds))) for t in outcome.tiers]
    tiers = tuple(replace(t, decision=d, rounds=n) for t, d, n in again)
    outcome = replace(outcome, control=control, tiers=tiers, inconclusive=control.doubt)
    if Decision.PASS not in control.decisions:
        return outcome
    rounds = control.counted
    return replace(
        outcome,
        speedup=control.submission,
        interval=interval([r.ratio for r in rounds], 1 - outcome.level),
        level=1 - 2 * (1 - outcome.level),
        reference_s=median([r.reference_s for r in rounds]),
        submission_s=median([r.submission_s for r in rounds]),
    )
