# dies by: too-slow
# needs: gpu
# No matrix of 50 × B numbers, and 250 operators on rows of B: as much traffic, and more launches.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    x, y = U * U * U
    fx, fy = p[250].repeat(U.shape[1]), p[251].repeat(U.shape[1])
    for h in range(H):
        s = torch.tanh(p[2 * h] * x + p[2 * h + 1] * y + p[100 + h])
        fx += p[150 + h] * s
        fy += p[200 + h] * s
    return torch.stack([fx, fy])
