"""Writes the .npy files that src/table/npy.rs is tested with. Needs NumPy."""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def write(name, array, version=(1, 0)):
    with (HERE / f"npy_{name}.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version=version)


numbers = np.arange(12, dtype="<f4").reshape(2, 3, 2) / 2
numbers[1, 2, 1] *= -1
for major in (1, 2, 3):
    write(f"f4_v{major}", numbers, (major, 0))
write("f2_v1", np.array([[1, -2, 65504], [6e-8, 1 / 3, -np.inf]], dtype="<f2"))
write("f8", numbers.astype("<f8"))
write("fortran", np.asfortranarray(numbers))
