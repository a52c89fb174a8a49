"""Hidden checks of "Derivatives that travel along".

With u = 2^-53 = 1.1e-16:

- *One operation* rounds a value or a derivative at most six times: RULE = 1e-14 relative to the largest term.
- *Programs* of some twenty operations, with all values between 0.2 and 5: two ways of evaluation differed by 8e-16 of the largest derivative
  of any value in the worst of 3000 draws; PROGRAM = 1e-11 of it is ten thousand times that. Differences err by 1e-10 and more.
- *Paths* are judged step by step: row i + 1 is compared with the derivative of one step from the submission's own row i, so that nothing
  grows. A step adds sixty products below 1.5 (1 + |D|), and rounds each: 60 · 1.5 u = 1e-14 of 1 + |D|; STEP = 1e-13 (1 + |D|). Differences
  of two paths carry their rounding into every row: 3e-11 at the best h, of 1 + |D|; the derivative of the differential equation instead
  of the method's is off by 1e-7 (2.6e-7 after a step of 0.05).
- *Members* are compared at the end: deviations grow by less than 100 until time 5, 400 steps of 1e-14 differ by 4e-10 of 1 + |D| if all
  conspires, 4e-14 in fact; MEMBER = 2e-9.
- *Fits*: the sum of squares must come within 1e-8 of itself to the least one (found from the truth by the oracle), and without errors in
  the data the rates must be right to 1e-6. From starts within 15 % a damped Gauss–Newton method found it in 900 of 900 draws of each kind.
"""

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import sensitivities as oracle

RULE, PROGRAM, STEP, MEMBER = 1e-14, 1e-11, 1e-13, 2e-9  # see above
NOMINAL = np.array([1.5, 1.0, 3.0, 1.0])  # alpha, beta, gamma, delta, 1/year


def members(rng, m):
    """Draw m parameter vectors within 35 % of the nominal ones."""
    return NOMINAL * np.exp(rng.uniform(-0.3, 0.3, (m, 4)))


def start(rng):
    """Draw populations at the start, around 1."""
    return np.exp(rng.uniform(-0.5, 0.5, 2))


def packed(rows):
    """Arrays op, a, b and c of instructions."""
    op, a, b, c = zip(*rows, strict=True)
    return np.array(op, np.int64), np.array(a, np.int64), np.array(b, np.int64), np.array(c, float)


def draw_program(rng, k, m):
    """Draw k inputs and m operations on them, all of whose values lie between 0.2 and 5 in magnitude; returns the program and x."""
    x = rng.uniform(0.5, 2.0, k)
    rows = [(oracle.INPUT, int(i), 0, 0.0) for i in rng.permutation(k)] + [(oracle.NUMBER, 0, 0, float(rng.uniform(0.5, 2.0)))]
    while len(rows) < k + 1 + m:
        n = len(rows)  # the last value is always used, so that the result depends on all of the way
        row = (int(rng.integers(2, 10)), n - 1 if rng.random() < 0.6 else int(rng.integers(n)), int(rng.integers(n)), 0.0)
        v = [complex(value).real for value in oracle.run(*packed(rows), x.tolist())]
        if row[0] in (oracle.LOG, oracle.SQRT) and v[row[1]] < 0.2:
            continue
        value = oracle.run(*packed([*rows, row]), x.tolist())[-1]
        if 0.2 < abs(value) < 5.0:
            rows.append(row)
    return packed(rows), x


def largest(code, x):
    """The largest derivative of any value of a program."""
    return max(1.0, *(np.abs(oracle.gradient(*(part[: j + 1] for part in code), x)[1]).max() for j in range(len(code[0]))))


def agree(submission, code, x, atol, what):
    """Compare value and derivatives with the oracle's."""
    (value, slope), (right, expected) = submission.gradient(*code, x), oracle.gradient(*code, x)
    close(np.array(value), np.array(right), rtol=0.0, atol=atol, what=f"the value of {what}")
    close(slope, expected, rtol=0.0, atol=atol, what=f"the derivatives of {what}")


@pytest.mark.criterion("programs")
@pytest.mark.parametrize("name", ["ADD", "SUBTRACT", "MULTIPLY", "DIVIDE", "SIN", "EXP", "LOG", "SQRT"])
def test_one_operation(submission, rng, name):
    """Of two inputs, of one twice, of an input and a number, either way round."""
    op = getattr(oracle, name)
    for a, b in ((0, 1), (1, 0), (0, 0), (0, 2), (2, 1)):
        code = packed([(0, 0, 0, 0.0), (0, 1, 0, 0.0), (1, 0, 0, float(rng.uniform(0.5, 2.0))), (op, a, b, 0.0)])
        agree(submission, code, rng.uniform(0.5, 2.0, 2), 8.0 * RULE, f"op {op}")


@pytest.mark.criterion("programs")
@pytest.mark.parametrize("k, m", [(1, 5), (2, 10), (3, 20), (6, 25)])
def test_random_programs(submission, rng, k, m):
    """Results used several times, inputs in any order."""
    for _ in range(3):
        code, x = draw_program(rng, k, m)
        agree(submission, code, x, PROGRAM * largest(code, x), f"a program of {m} operations")


@pytest.mark.criterion("programs")
def test_what_does_not_depend(submission, rng):
    """A number alone, an input that is read twice, one that is not read."""
    x = rng.uniform(0.5, 2.0, 3)
    agree(submission, packed([(1, 0, 0, 4.5)]), x, RULE, "a number")
    agree(submission, packed([(0, 1, 0, 0.0)]), x, RULE, "an input")
    agree(submission, packed([(0, 2, 0, 0.0), (0, 2, 0, 0.0), (4, 0, 1, 0.0)]), x, 8.0 * RULE, "an input times itself")


def littered(rng, code):
    """The same program, with large negative numbers and NaN wherever an instruction uses none."""
    op, a, b, c = (part.copy() for part in code)
    for place, unused in ((a, op == oracle.NUMBER), (b, (op < oracle.ADD) | (op > oracle.DIVIDE))):
        place[unused] = rng.integers(-(2**63), -(2**31), unused.sum())
    c[op != oracle.NUMBER] = np.nan
    return op, a, b, c


@pytest.mark.criterion("programs")
def test_entries_that_nobody_uses(submission, rng):
    """They may hold any number, says the handout: an instruction looks at what it uses, and at nothing else."""
    x = rng.uniform(0.5, 2.0, 2)
    for op in range(oracle.ADD, oracle.SQRT + 1):
        code = littered(rng, packed([(0, 1, 0, 0.0), (1, 0, 0, 1.5), (op, 0, 1, 0.0)]))
        agree(submission, code, x, 8.0 * RULE, f"op {op} among unused entries")
    code, x = draw_program(rng, 3, 20)
    agree(submission, littered(rng, code), x, PROGRAM * largest(code, x), "a program with unused entries")


@pytest.mark.criterion("paths")
@pytest.mark.parametrize("n", [1, 2, 40])
def test_states_and_derivatives_step_by_step(submission, rng, n):
    """Each row from the one before: the derivative of a Runge–Kutta step in the direction of the row's derivatives."""
    p, u0, dt = members(rng, 1)[0], start(rng), rng.uniform(0.03, 0.06)
    u, D = submission.sens(p, u0, dt, n)
    follow(p, u0, dt, u, D)


def follow(p, u0, dt, u, D):
    """Compare every row with one step from the row before."""
    close(u[0], u0, rtol=0.0, what="the first row, the state at 0")
    close(D[0], np.zeros((2, 4)), rtol=0.0, what="the derivatives at 0")
    for i in range(len(u) - 1):
        moved = [oracle.march(p + 1j * oracle.TINY * np.eye(4)[k], u[i] + 1j * oracle.TINY * D[i, :, k], dt, 1)[1] for k in range(4)]
        atol = STEP * (1.0 + np.abs(D[i]).max())
        close(u[i + 1], moved[0].real, rtol=0.0, atol=atol, what=f"row {i + 1} of the states, from row {i}")
        close(D[i + 1], np.stack([m.imag for m in moved], axis=1) / oracle.TINY, rtol=0.0, atol=atol, what=f"row {i + 1} of the derivatives, from row {i}")


@pytest.mark.criterion("fit")
def test_counts_without_error(submission, rng):
    """The rates themselves come out."""
    p, u0 = members(rng, 1)[0], start(rng)
    data = oracle.march(p, u0, 0.05, 40)
    close(submission.fit(data, u0, 0.05, p * np.exp(rng.uniform(-0.14, 0.14, 4))), p, rtol=1e-6, what="p of exact counts")
    close(submission.fit(data, u0, 0.05, p), p, rtol=1e-6, what="p, from p itself")


@pytest.mark.criterion("fit")
def test_counts_with_errors(submission, rng):
    """The least sum of squares, not the truth."""
    p, u0 = members(rng, 1)[0], start(rng)
    data = oracle.march(p, u0, 0.05, 40) + 0.02 * rng.standard_normal((41, 2))
    got, best = submission.fit(data, u0, 0.05, p * np.exp(rng.uniform(-0.14, 0.14, 4))), oracle.fit(data, u0, 0.05, p)
    mine, least = (np.sum((oracle.march(q, u0, 0.05, 40) - data) ** 2) for q in (got, best))
    require(mine <= least * (1.0 + 1e-8), f"the sum of squares is {mine:.8g}; {least:.8g} can be reached")


@pytest.mark.criterion("edge-cases")
def test_no_steps_and_nobody(submission, rng):
    """n = 0 returns the start; no members, no rows."""
    u0 = start(rng)
    follow(NOMINAL, u0, 0.1, *submission.sens(NOMINAL, u0, 0.1, 0))
    u, D = submission.ensemble(members(rng, 3), u0, 0.1, 0)
    close(u, np.tile(u0, (3, 1)), rtol=0.0, what="states after no steps")
    close(D, np.zeros((3, 2, 4)), rtol=0.0, what="derivatives after no steps")
    u, D = submission.ensemble(np.empty((0, 4)), u0, 0.1, 3)
    close(u, np.empty((0, 2)), rtol=0.0, what="states of nobody")
    close(D, np.empty((0, 2, 4)), rtol=0.0, what="derivatives of nobody")


@pytest.mark.criterion("edge-cases")
def test_backwards(submission, rng):
    """dt < 0."""
    p, u0 = members(rng, 1)[0], start(rng)
    follow(p, u0, -0.04, *submission.sens(p, u0, -0.04, 12))


@pytest.mark.criterion("members")
@pytest.mark.parametrize("m", [1, 7, 33, 70])
def test_every_member_its_own(submission, rng, m):
    """Against one at a time; sizes around a block."""
    P, u0 = members(rng, m), start(rng)
    agree_members(submission.ensemble(P, u0, 0.05, 30), oracle.ensemble(P, u0, 0.05, 30))


def agree_members(got, expected):
    """Compare states and derivatives, relative to the largest derivative of a member."""
    scale = 1.0 + np.abs(expected[1]).max(axis=(1, 2))
    close(got[0] / scale[:, None], expected[0] / scale[:, None], rtol=0.0, atol=MEMBER, what="states")
    close(got[1] / scale[:, None, None], expected[1] / scale[:, None, None], rtol=0.0, atol=MEMBER, what="derivatives")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """Sixteen thousand ecosystems, 400 steps, five years; all states and derivatives against the kernel's."""

    def make(rng):
        return members(rng, 16_000), start(rng), 0.0125, 400

    def verify(args, got, expected):
        agree_members(got, expected)

    duel("ensemble", make, verify)
