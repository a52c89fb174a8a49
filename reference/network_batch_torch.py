"""Baseline: PyTorch as it is written, one kernel for each operator.

Formula, units and layout of p as in `network_batch`. The hidden layer is an array of 50 × B numbers that goes through the GPU's memory
six times: written by the first product, read and written by the addition of b1, read and written by tanh, read by the second product.

Counts, a state: 6 × 200 bytes for the hidden layer and some 72 for the states themselves: 1.27 kB, where 16 would do. With
2^24 states that is 21 GB: 5.2 ms at the 4.1 TB/s at which an H200 copies; measured there: 7.2 ms.
Single precision throughout: torch multiplies float32 matrices without TF32 unless it is told otherwise.

Without a GPU it runs on the CPU, from the same source.
"""

import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    """Return the rates (2, B) of states (2, B); arguments as in the oracle, in single precision, on the device."""
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    W1, b1 = p[: 2 * H].reshape(H, 2), p[2 * H : 3 * H, None]
    W2, b2 = p[3 * H : 5 * H].reshape(2, H), p[5 * H :, None]
    return W2 @ torch.tanh(W1 @ U**3 + b1) + b2
