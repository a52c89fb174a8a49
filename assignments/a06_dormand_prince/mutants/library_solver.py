# dies by: wrong-answer
# scipy's RK45 with its own steps, output at the times asked for: accurate, but not this method's numbers, and n does not bound the calls.
import numpy as np
from scipy.integrate import solve_ivp

def dp5(f, u0, p, t0, dt, n):
    t = t0 + dt * np.arange(n + 1)
    if n == 0:
        return u0[None].copy()
    return solve_ivp(lambda t, u: f(u, p, t), (t[0], t[-1]), u0, t_eval=t, rtol=1e-12, atol=1e-12).y.T.copy()


def ensemble(u0, P, dt, n):
    def rates(t, u):
        x, y = u.reshape(2, -1)
        a, b, c, d = P.T
        return np.concatenate([x * (a - b * y), y * (d * x - c)])

    start = np.outer(u0, np.ones(len(P))).ravel()
    return dp5(lambda u, p, t: rates(t, u), start, None, 0.0, dt, n)[-1].reshape(2, -1).T.copy()
