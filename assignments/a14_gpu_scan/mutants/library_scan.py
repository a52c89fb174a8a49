# dies by: wrong-answer
# needs: gpu
# A library's scan: fast and correct, but it adds up what neighbouring tiles have ready, so that the same array gives other bits.
import torch


def scan(x):
    return torch.cumsum(torch.as_tensor(x, device="cuda" if torch.cuda.is_available() else "cpu"), 0)
