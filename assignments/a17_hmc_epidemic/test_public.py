"""Public checks of "Particles that read an epidemic": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require


def bowl(q):
    """U = |q|²/2."""
    return float(q @ q) / 2, q


@pytest.mark.criterion("examples")
def test_one_step_in_a_bowl(submission):
    """From q = 1, p = 0 with eps = 1: p = -1/2, q = 1/2, p = -3/4."""
    q, p = submission.leapfrog(bowl, np.ones(1), np.zeros(1), 1.0, 1)
    close(q, np.array([0.5]), rtol=1e-14, what="q")
    close(p, np.array([-0.75]), rtol=1e-14, what="p")


@pytest.mark.criterion("examples")
def test_accepted_and_rejected(submission):
    """The same step lowers H by 1/2 - 1/8 - 9/32 = 3/32: accepted for log w = -1; from q = 1/2 with p = 3/4 it raises H as much, and w = 0.99 rejects that."""
    P, w = np.array([[0.0], [0.75]]), np.array([np.exp(-1.0), 0.99])
    close(submission.hmc(bowl, np.ones(1), 1.0, 1, P, w), np.array([[0.5], [0.5]]), rtol=1e-14, what="the samples")


@pytest.mark.criterion("examples")
def test_evaluations_are_counted(submission, calls):
    """Three trajectories of four steps may call f 13 times."""
    submission.hmc(calls(bowl), np.ones(2), 0.1, 4, np.ones((3, 2)), np.full(3, 0.5))
    require(calls.count <= 13, f"f was called {calls.count} times; n L + 1 = 13 suffice")


@pytest.mark.criterion("examples")
def test_a_day_of_an_epidemic(submission):
    """beta = 4, gamma = 0: four steps of I + I (1 - I) from 0.01, and a prior that is known."""
    I = 0.01
    for _ in range(4):
        I += (1.0 - I) * I  # S = 1 - I
    theta = np.log([4.0, 1e-30])
    away = theta - np.log([0.4, 0.15])
    U, _ = submission.epidemic(theta, np.array([0.1]))
    close(np.array(U), np.array((I - 0.1) ** 2 / 0.0008 + away @ away / 0.5), rtol=1e-10, what="U")


@pytest.mark.criterion("examples")
def test_chains_are_many_times_hmc(submission, rng):
    """Two chains of three samples, by the submission's own hmc and epidemic."""
    data = np.array([0.02, 0.05, 0.11])
    Q0, P, w = np.log([0.4, 0.15]) + 0.1 * rng.random((2, 2)), rng.standard_normal((2, 3, 2)), rng.random((2, 3))
    got = submission.chains(Q0, 0.02, 2, P, w, data)
    path = [np.concatenate([Q0[:, None], got], axis=1)[c] for c in range(2)]
    for c in range(2):
        for i in range(3):
            here, there = submission.epidemic(path[c][i], data), submission.epidemic(path[c][i + 1], data)
            require(np.isfinite(here[0]) and np.isfinite(there[0]), "energies along the chain are finite")
            if np.array_equal(path[c][i], path[c][i + 1]):
                continue
            p = P[c, i] - 0.01 * here[1]
            q = path[c][i] + 0.02 * p
            p = p - 0.02 * submission.epidemic(q, data)[1]
            close(path[c][i + 1], q + 0.02 * p, rtol=1e-9, what=f"sample {i} of chain {c}")
