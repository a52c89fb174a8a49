# dies by: wrong-answer
# Rounds the factors of both products to TF32 (eleven bits) and sums in single precision, as tensor cores do.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def tf32(a):
    return ((a.contiguous().view(torch.int32) + 0x1000) & -0x2000).view(torch.float32)


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    s = torch.tanh(tf32(p[:100].view(H, 2)) @ tf32(U * U * U) + p[100:150, None])
    return tf32(p[150:250].view(2, H)) @ tf32(s) + p[250:, None]
