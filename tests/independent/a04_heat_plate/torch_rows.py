"""PyTorch on the CPU: the Laplacian as a convolution in double precision."""

import numpy as np
import torch

torch.set_num_threads(1)
STENCIL = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)[None, None]


def heat_step_n(T, alpha, dx, dt, n):
    plate = torch.from_numpy(np.array(T, dtype=np.float64, order="C"))
    if min(plate.shape) < 3:
        return plate.numpy()
    r = alpha * dt / dx**2
    with torch.no_grad():
        for _ in range(n):
            plate[1:-1, 1:-1] += r * torch.conv2d(plate[None, None], STENCIL)[0, 0]
    return plate.numpy()
