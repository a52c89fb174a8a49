# dies by: too-slow
# needs: gpu
# Correct, but whole-array operations, one launch and one temporary array each.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C, u, v, K, dx, dt, n):
    C = torch.as_tensor(C, device=DEVICE).clone()
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    e, w, a, s = (r + max(flow, 0.0) for flow in (c, -c, d, -d))
    for _ in range(n):
        up = a * C[:, :-1] - s * C[:, 1:]
        C = C + e * (torch.roll(C, 1, 2) - C) + w * (torch.roll(C, -1, 2) - C)
        C[:, 1:] += up
        C[:, :-1] -= up
    return C
