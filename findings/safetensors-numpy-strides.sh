#!/bin/sh
# safetensors 0.8.0 with NumPy 2.3.5: save() and save_file() write the bytes of an array in the order of its memory, beside its
# shape alone. An array in Fortran order, a transposed view and a slice of columns are read back permuted, without a word.
# Expected: what is read back equals what was saved, as with numpy.savez, or an error.
# Seen: a 2 x 3 array in Fortran order [[0,1,2],[3,4,5]] is read back as [[0,3,1],[4,2,5]]; numpy.ascontiguousarray before saving
# helps. Weights of a Keras or Flax kernel that were transposed for PyTorch are such views.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.3.5
"$folder/venv/bin/python" - "$folder/file" <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

rows = np.arange(6, dtype=np.float32).reshape(2, 3)
wide = np.arange(12, dtype=np.float32).reshape(3, 4)
arrays = {"fortran": np.asfortranarray(rows), "transposed": rows.T, "columns": wide[:, 1:3]}
save_file(arrays, sys.argv[1])
found = load_file(sys.argv[1])
for name, array in arrays.items():
    print(name, array.tolist(), "->", found[name].tolist())
assert found["fortran"].tolist() == [[0, 3, 1], [4, 2, 5]]
assert found["transposed"].tolist() == [[0, 1], [2, 3], [4, 5]]
assert found["columns"].tolist() == [[1, 2], [3, 4], [5, 6]]
save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, sys.argv[1])
found = load_file(sys.argv[1])
assert all(np.array_equal(found[name], array) for name, array in arrays.items())
PYTHON
echo "as stated: strides are dropped"
