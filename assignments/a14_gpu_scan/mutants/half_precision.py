# dies by: wrong-answer
# Adds up in half precision: three digits, nothing beyond 65504.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def scan(x):
    return torch.cumsum(torch.as_tensor(x, device=DEVICE), 0, dtype=torch.float16).float()
