# dies by: too-slow
# needs: gpu
# The baseline, with the cubes as products: the hidden layer goes through memory six times.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    z = p[:100].view(H, 2) @ (U * U * U) + p[100:150, None]
    return p[150:250].view(2, H) @ torch.tanh(z) + p[250:, None]
