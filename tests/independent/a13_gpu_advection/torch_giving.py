"""Torch in double precision, seen from the giver: every cell gives shares of what it has to its four neighbours."""

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def adv_diff(C, u, v, K, dx, dt, n):
    has = torch.as_tensor(C, device=DEVICE).double()
    mixed = K * dt / dx / dx
    blown_x, blown_y = u * dt / dx, v * dt / dx
    for _ in range(n):
        gives_east = has * (mixed + (blown_x if u > 0 else 0.0))
        gives_west = has * (mixed - (blown_x if u < 0 else 0.0))
        gives_up = has * (mixed + (blown_y if v > 0 else 0.0))
        gives_down = has * (mixed - (blown_y if v < 0 else 0.0))
        gives_up[:, -1] = 0.0
        gives_down[:, 0] = 0.0
        has = has - gives_east - gives_west - gives_up - gives_down
        has += gives_east.roll(1, 2) + gives_west.roll(-1, 2) + gives_up.roll(1, 1) + gives_down.roll(-1, 1)
    return has.float()
