# SPDX-License-Identifier: MIT
"""Compares the intervals and p-values of print_statistics with those of SciPy.

Usage: compare_statistics.py PRINT_STATISTICS

The interval is that of scipy.stats.bootstrap at the expanded level, up to the error of both draws. The p-value is that of
scipy.stats.permutation_test: the same up to 16 values, and up to the error of the draws above.
"""
import subprocess
import sys

try:
    import numpy as np
    from scipy import stats
    stats.bootstrap, stats.permutation_test
except (ImportError, AttributeError):
    print("skipped: no scipy.stats.bootstrap")
    sys.exit(77)

random = np.random.default_rng(1)
cases = [random.normal(0.3, 1, n) for n in (2, 3, 6, 8, 12, 16)]
cases += [random.exponential(1, n) - 0.8 for n in (7, 15, 30, 60)]
cases += [np.array([0.5, 0.5, -0.5, 1, 1, 1, -0.5]), np.array([0.1] * 9), random.integers(-3, 5, 14).astype(float)]
text = "".join(" ".join(repr(float(v)) for v in case) + "\n" for case in cases)
output = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=True).stdout
lines = [[float(v) for v in line.split()] for line in output.splitlines()]
assert len(lines) == len(cases)
for case, (low, high, p) in zip(cases, lines):
    n = len(case)
    tail = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    if np.ptp(case) > 0:
        expected = stats.bootstrap((case,), np.mean, method="percentile", confidence_level=1 - 2 * tail, n_resamples=40000,
                                   batch=4000, random_state=random).confidence_interval
        width = expected.high - expected.low
        tolerance = 0.05 * width if n > 3 else 1e-12 * width  # two and three values: the ends are those of the data
        assert abs(low - expected.low) <= tolerance and abs(high - expected.high) <= tolerance, (n, low, high, expected)
    else:
        assert abs(low - case[0]) < 1e-12 and abs(high - case[0]) < 1e-12, (low, high)
    exact = n <= 16
    test = stats.permutation_test((case,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples", vectorized=True,
                                  n_resamples=np.inf if exact else 50000, batch=5000, random_state=random)
    tolerance = 1e-9 if exact else 5 * np.sqrt(test.pvalue * (1 - test.pvalue) / 50000) + 1e-4
    assert abs(p - test.pvalue) <= tolerance, (n, p, test.pvalue)
print(f"{len(cases)} cases agree with SciPy")
