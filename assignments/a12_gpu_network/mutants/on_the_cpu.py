# dies by: too-slow
# needs: gpu
# Takes the states to the host, works in NumPy and carries the rates back.
import numpy as np
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = (torch.as_tensor(a, device=DEVICE).cpu().numpy() for a in (U, p))
    s = np.tanh(p[:100].reshape(H, 2) @ (U * U * U) + p[100:150, None])
    return torch.as_tensor(p[150:250].reshape(2, H) @ s + p[250:, None], device=DEVICE)
