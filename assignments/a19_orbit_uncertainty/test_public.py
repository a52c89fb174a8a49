"""Public checks of "How well do we know where it will be?": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require

MU = 398600.4418  # km³/s²
RADIUS = 7000.0  # km
SPEED = np.sqrt(MU / RADIUS)  # km/s, of a circle
RATE = SPEED / RADIUS  # rad/s
R, V = np.array([RADIUS, 0.0, 0.0]), np.array([0.0, SPEED, 0.0])


@pytest.mark.criterion("examples")
def test_a_quarter_of_a_circle(submission):
    """The position turns to y, the velocity to -x; a quarter back, the other way."""
    for sign in (1.0, -1.0):
        got = submission.propagate(R, V, sign * 0.5 * np.pi / RATE)
        close(got[:3], np.array([0.0, sign * RADIUS, 0.0]), rtol=0.0, atol=1e-8, what="r")
        close(got[3:], np.array([-sign * SPEED, 0.0, 0.0]), rtol=0.0, atol=1e-11, what="v")


@pytest.mark.criterion("examples")
def test_from_perigee_to_apogee(submission):
    """e = 0.5: half a period later three times as far, at a third of the speed."""
    v = V * np.sqrt(1.5)
    a = 2.0 * RADIUS
    got = submission.propagate(R, v, np.pi * np.sqrt(a**3 / MU))
    close(got, np.array([-3.0 * RADIUS, 0.0, 0.0, 0.0, -v[1] / 3.0, 0.0]), rtol=0.0, atol=1e-7, what="the state at apogee")


@pytest.mark.criterion("examples")
def test_nothing_has_happened_yet(submission):
    """At t = 0 the transition matrix is 1, and a covariance what it was."""
    close(submission.transition(R, V, 0.0), np.eye(6), rtol=0.0, atol=1e-11, what="Phi")
    P = np.diag([1.0, 4.0, 9.0, 1e-6, 1e-6, 4e-6])
    got = submission.covariance(R, V, P, 0.0)
    close(got, P, rtol=1e-11, atol=1e-11, what="P")
    require((got == got.T).all(), "a covariance matrix has to be symmetric to the last bit")


@pytest.mark.criterion("examples")
def test_a_circle_seen_from_itself(submission):
    """After one revolution: 1 km higher falls behind by 6 pi km (Clohessy and Wiltshire, seen from outside)."""
    period = 2.0 * np.pi / RATE
    Phi = submission.transition(R, V, period)
    # A radial step changes a twice: δa = 2 δx. The delay is 3/2 δa/a of a revolution's 2 pi a.
    close(Phi[1, 0], -6.0 * np.pi, rtol=1e-10, what="d y / d x")
    close(Phi[1, 4], -3.0 * period, rtol=1e-10, what="d y / d v_y")
    close(Phi[2], np.eye(6)[2], rtol=0.0, atol=1e-9, what="the row of z")
    P = np.zeros((6, 6))
    P[0, 0], P[2, 2] = 0.01, 0.04
    out = np.full((1, 2, 3), np.nan)  # to be filled
    got = submission.forecast(np.concatenate([R, V])[None], P[None], np.array([0.0, period]), out)
    expected = np.array([[[0.1, 0.0, 0.2], [0.1, 0.6 * np.pi, 0.2]]])
    close(got, expected, rtol=1e-9, atol=1e-9, what="standard deviations along R, T, N")
