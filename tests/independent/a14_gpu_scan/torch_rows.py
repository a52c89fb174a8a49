"""Torch alone: rows of 64 column by column, then the sums of rows by the same function."""

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROW = 64


def sums_so_far(x):
    n = x.numel()
    rows = torch.nn.functional.pad(x, (0, -n % ROW)).reshape(-1, ROW)
    within = torch.zeros_like(rows)
    for shift in range(ROW):
        within[:, shift] = rows[:, shift] + (within[:, shift - 1] if shift else 0.0)
    if len(rows) > 1:
        within[1:] += sums_so_far(within[:, -1].contiguous())[:-1, None]
    return within.reshape(-1)[:n].clone()


def scan(x):
    return sums_so_far(torch.as_tensor(x, device=DEVICE))
