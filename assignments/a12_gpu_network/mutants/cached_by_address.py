# dies by: wrong-answer
# needs: gpu
# Keeps results by the address and size of the arguments, which other numbers may occupy the next time.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KEPT = {}


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    key = U.data_ptr(), p.data_ptr(), U.shape[1]
    if key not in KEPT:
        KEPT[key] = p[150:250].view(2, H) @ torch.tanh(p[:100].view(H, 2) @ U**3 + p[100:150, None]) + p[250:, None]
    return KEPT[key]
