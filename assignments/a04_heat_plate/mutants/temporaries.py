# dies by: too-slow
# Correct, but in whole-array NumPy, with a temporary array for every operator.
def heat_step_n(T, alpha, dx, dt, n):
    T = T.copy()
    r = alpha * dt / dx**2
    for _ in range(n):
        neighbours = T[:-2, 1:-1] + T[2:, 1:-1] + T[1:-1, :-2] + T[1:-1, 2:]
        T[1:-1, 1:-1] = T[1:-1, 1:-1] + r * (neighbours - 4.0 * T[1:-1, 1:-1])
    return T
