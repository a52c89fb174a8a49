# dies by: inputs-modified
# Cubes the states where they lie.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    s = torch.tanh(p[:100].view(H, 2) @ U.pow_(3) + p[100:150, None])
    return p[150:250].view(2, H) @ s + p[250:, None]
