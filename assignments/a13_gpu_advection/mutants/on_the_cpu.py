# dies by: timed-out
# needs: gpu
# Correct, but to the host, stepped there by NumPy, and back.
import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C, u, v, K, dx, dt, n):
    C = torch.as_tensor(C, device=DEVICE).cpu().numpy().copy()
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    e, w, a, s = (np.float32(r + max(flow, 0.0)) for flow in (c, -c, d, -d))
    for _ in range(n):
        up = a * C[:, :-1] - s * C[:, 1:]
        C = C + e * (np.roll(C, 1, 2) - C) + w * (np.roll(C, -1, 2) - C)
        C[:, 1:] += up
        C[:, :-1] -= up
    return torch.from_numpy(C).to(DEVICE)
