# dies by: inputs-modified
# Adds up in the caller's array.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def scan(x):
    x = torch.as_tensor(x, device=DEVICE)
    x.copy_(torch.cumsum(x, 0))
    return x.clone()
