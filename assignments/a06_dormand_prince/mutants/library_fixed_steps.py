# dies by: too-slow
# scipy's RK45, forced to steps of dt: the same formula, so dp5 passes; its ensemble is whole-array NumPy.
import numpy as np
from scipy.integrate import RK45

def dp5(f, u0, p, t0, dt, n):
    h = abs(dt)
    rows = [u0.copy()]
    if n and u0.size:
        stepper = RK45(
            lambda t, u: f(u, p, t0 + t), 0.0, u0, 2 * n * dt, first_step=h, max_step=h, rtol=1e300, atol=1e300
        )
        for _ in range(n):
            stepper.step()
            rows.append(stepper.y.copy())
    return np.array(rows)


def ensemble(u0, P, dt, n):
    a, b, c, d = P.T

    def rates(u, p, t):
        x, y = u.reshape(2, -1)
        return np.concatenate([x * (a - b * y), y * (d * x - c)])

    u = np.outer(u0, np.ones(len(P))).ravel()
    for _ in range(n):
        u = dp5(rates, u, None, 0.0, dt, 1)[-1]
    return u.reshape(2, -1).T.copy()
