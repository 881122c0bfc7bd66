#!/bin/sh
# scikit-learn 1.7.2, PCA with its default solver: where there are at least ten times as many samples as features (and at most
# 1000 features) it decomposes the covariance. Then small singular values, on which ranks of data are read, are lost.
# Expected: PCA().singular_values_ agree with numpy.linalg.svd of the centred data to about 1e-16 of the largest one.
# Seen: of ten values from 1 down to 1e-11 those below 1e-8 are rounding noise of the square: off by a quarter up to a factor of
# ten, and the last one or two exactly 0, a smaller rank than the data have. With fewer samples, or svd_solver="full", all ten are
# right to 1e-15.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.7.2 numpy==2.3.5 scipy==1.16.3
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.decomposition import PCA


def found(samples, **options):
    rng = np.random.default_rng(0)
    left = rng.standard_normal((samples, 10))
    left = np.linalg.qr(left - left.mean(0))[0]
    right = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    data = (left * np.logspace(0, -11, 10)) @ right.T
    true = np.linalg.svd(data - data.mean(0), compute_uv=False)
    return PCA(**options).fit(data).singular_values_, true


values, true = found(2000)
print("default, 2000 samples:", values)
print("true:                 ", true)
assert values[9] == 0 and true[9] > 9e-12
assert abs(values[8] / true[8] - 1) > 0.5
for values, true in (found(80), found(2000, svd_solver="full")):
    assert np.allclose(values, true, rtol=0, atol=1e-15)
PYTHON
echo "as stated: the default solver loses small singular values"
