# dies by: too-slow
# needs: gpu
# Correct, but log2 n passes over the whole array.
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def scan(x):
    y = torch.as_tensor(x, device=DEVICE).clone()
    shift = 1
    while shift < len(y):
        y = torch.cat([y[:shift], y[shift:] + y[:-shift]])
        shift *= 2
    return y
