# dies by: wrong-answer
# A thread computes while the caller already holds an array of zeros.
import threading
import time

import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def later(U, p, out):
    time.sleep(0.05)
    s = torch.tanh(p[:100].view(H, 2) @ U**3 + p[100:150, None])
    out.copy_(p[150:250].view(2, H) @ s + p[250:, None])


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE).clone(), torch.as_tensor(p, device=DEVICE).clone()
    out = torch.zeros_like(U)
    threading.Thread(target=later, args=(U, p, out), daemon=True).start()
    return out
