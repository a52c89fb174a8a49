# dies by: too-slow
# needs: gpu
# Correct, but to the host, added up there by NumPy, and back.
import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def scan(x):
    x = torch.as_tensor(x, device=DEVICE).cpu().numpy()
    return torch.from_numpy(np.cumsum(x, dtype=np.float64).astype(np.float32)).to(DEVICE)
