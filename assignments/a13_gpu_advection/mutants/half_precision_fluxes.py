# dies by: wrong-answer
# The field in single precision, what flows in half precision: mass is conserved, digits are not.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C, u, v, K, dx, dt, n):
    C = torch.as_tensor(C, device=DEVICE).clone()
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    e, w, a, s = (r + max(flow, 0.0) for flow in (c, -c, d, -d))
    for _ in range(n):
        east = (e * C - w * torch.roll(C, -1, 2)).half().float()
        up = (a * C[:, :-1] - s * C[:, 1:]).half().float()
        C = C - east + torch.roll(east, 1, 2)
        C[:, 1:] += up
        C[:, :-1] -= up
    return C
