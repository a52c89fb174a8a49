# dies by: wrong-answer
# Keeps the field in half precision between steps: half the bytes, three digits, and mass comes and goes.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C, u, v, K, dx, dt, n):
    kept = torch.as_tensor(C, device=DEVICE).half()
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    e, w, a, s = (r + max(flow, 0.0) for flow in (c, -c, d, -d))
    for _ in range(n):
        C = kept.float()
        up = a * C[:, :-1] - s * C[:, 1:]
        new = C + e * (torch.roll(C, 1, 2) - C) + w * (torch.roll(C, -1, 2) - C)
        new[:, 1:] += up
        new[:, :-1] -= up
        kept = new.half()
    return kept.float()
