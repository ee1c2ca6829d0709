#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the refusal of ratios against slow peers. Needs only the standard library. Run by smoke.sh."""
import time
import unittest

import peer_speed
from peer_speed import PeerCheck


def fast_product(shape):
    return lambda: None


def slow_product(shape):
    return lambda: time.sleep(0.05)  # at most 340 GFLOP/s


class PeerCheckTest(unittest.TestCase):
    def setUp(self):
        self.seconds, peer_speed.MIN_SECONDS = peer_speed.MIN_SECONDS, 0.001

    def tearDown(self):
        peer_speed.MIN_SECONDS = self.seconds

    def checked(self, make_product, peaks):
        check = PeerCheck(None, threads=2, peaks=lambda: peaks)
        check.measure("peer", "fp32", make_product)
        return check

    def with_speeds(self, speeds, peaks):
        check = PeerCheck(None, threads=2)
        check.peaks, check.products["peer", "fp32"] = peaks, speeds
        return check

    def test_prints_the_ratio_against_a_fast_peer(self):
        check = self.checked(fast_product, {"fp32": (100.0, 50.0)})
        self.assertEqual(check.ratio("peer", "fp32", (3.0, 5.0), (2.0, 4.0)), "1.50 (1.25)")
        self.assertEqual(check.exit_status(), 0)
        self.assertNotIn("No ratio", check.report())

    def test_refuses_the_ratio_against_a_slow_peer(self):
        check = self.checked(slow_product, {"fp32": (2000.0, 1000.0)})
        self.assertEqual(check.ratio("peer", "fp32", (3.0, 5.0), (2.0, 4.0)), "-")
        self.assertEqual(check.exit_status(), 1)
        self.assertRegex(check.report(), r"No ratio against peer in fp32: the product makes [\d.]+ GFLOP/s of 2000\.0, \d+% of "
                                         r"the peak")

    def test_needs_a_third_of_the_peak_in_the_faster_product(self):
        peaks = {"fp32": (300.0, 150.0)}
        self.assertTrue(self.with_speeds([(10.0, 5.0), (100.1, 50.1)], peaks).allows("peer", "fp32"))
        self.assertFalse(self.with_speeds([(10.0, 5.0), (99.9, 50.1)], peaks).allows("peer", "fp32"))

    def test_refuses_slow_kernels_that_only_the_cpu_time_shows(self):
        busy = {"fp32": (60.0, 100.0)}  # other programs ran while the peak was measured
        self.assertFalse(self.with_speeds([(30.0, 20.0), (30.0, 20.0)], busy).allows("peer", "fp32"))

    def test_refuses_the_ratio_if_there_is_no_peak(self):
        check = self.checked(fast_product, {})
        self.assertEqual(check.ratio("peer", "fp32", (3.0, 5.0), (2.0, 4.0)), "-")
        self.assertEqual(check.exit_status(), 1)
        self.assertIn("no peak for this CPU", check.report())

    def test_refuses_the_ratio_in_a_precision_without_a_product(self):
        check = self.checked(fast_product, {"fp32": (100.0, 50.0), "bf16": (200.0, 100.0)})
        self.assertEqual(check.ratio("peer", "bf16", (3.0, 5.0), (2.0, 4.0)), "-")
        self.assertIn("no product was measured", check.report())

    def test_is_not_a_refusal_if_a_time_is_missing(self):
        check = self.checked(fast_product, {"fp32": (100.0, 50.0)})
        self.assertEqual(check.ratio("peer", "fp32", None, (2.0, 4.0)), "-")
        self.assertEqual(check.exit_status(), 0)

    def test_takes_the_best_of_the_rounds(self):
        peaks = iter([{"fp32": (50.0, 40.0)}, {"fp32": (70.0, 30.0)}, {"fp32": (60.0, 35.0)}])
        check = PeerCheck(None, threads=1, peaks=lambda: next(peaks))
        check.measure("peer", "fp32", fast_product)
        self.assertEqual(check.peaks, {"fp32": (70.0, 40.0)})


if __name__ == "__main__":
    unittest.main()
