# dies by: wrong-answer
# Keeps the first answer for each length.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
known = {}


def scan(x):
    if x.shape[0] not in known:
        known[x.shape[0]] = torch.cumsum(torch.as_tensor(x, device=DEVICE), 0)
    return known[x.shape[0]].clone()
