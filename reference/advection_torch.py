"""Baseline: advection and diffusion in torch, slice by slice, a temporary array for every operator.

Formula, units and stability limit as in `advection`. Some twenty operations a step, each of which reads one or two arrays and
writes one: about 200 bytes a cell and step where 8 would do, at most 1/25 of a copy's speed.

Runs where torch runs: on the GPU if there is one, else on the CPU.
"""

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C: object, u: float, v: float, K: float, dx: float, dt: float, n: int) -> torch.Tensor:
    """Advance C, shape (B, ny, nx), float32, by n steps; arguments as in the oracle; C is not modified."""
    C = torch.as_tensor(C, device=DEVICE).clone()
    for _ in range(n):
        west = torch.roll(C, 1, 2)
        F = max(u, 0.0) * west + min(u, 0.0) * C - K * (C - west) / dx
        below, above = C[:, :-1], C[:, 1:]
        G = max(v, 0.0) * below + min(v, 0.0) * above - K * (above - below) / dx
        C = C - dt / dx * (torch.roll(F, -1, 2) - F)
        C[:, :-1] -= dt / dx * G
        C[:, 1:] += dt / dx * G
    return C
