#!/usr/bin/env python3
"""What is lost, doubled or out of order is seen."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge  # noqa: E402


class EachOnce(unittest.TestCase):
    def test_all_there_once_and_in_order_holds(self):
        self.assertTrue(judge.each_once([1, 2, 3], [1, 2, 3], ordered=True).held())

    def test_what_was_not_acknowledged_may_be_there_or_not(self):
        self.assertTrue(judge.each_once([1, 3], [1, 2, 3], ordered=True).held())
        self.assertTrue(judge.each_once([1, 3], [1, 3], ordered=True).held())

    def test_what_was_acknowledged_and_is_not_there_is_lost(self):
        self.assertEqual(judge.each_once([1, 2, 3], [1, 3], ordered=True).lost, [2])

    def test_what_is_there_more_than_once_is_doubled_even_if_nobody_acknowledged_it(self):
        self.assertEqual(judge.each_once([1], [1, 1, 1, 2, 2], ordered=True).doubled, [1, 1, 2])

    def test_what_comes_after_a_later_one_is_out_of_order_where_order_counts(self):
        self.assertEqual(judge.each_once([1, 2, 3], [1, 3, 2], ordered=True).out_of_order, [2])
        self.assertTrue(judge.each_once([1, 2, 3], [1, 3, 2], ordered=False).held())

    def test_a_repetition_is_doubled_and_not_out_of_order_as_well(self):
        found = judge.each_once([1, 2], [1, 2, 1], ordered=True)
        self.assertEqual((found.doubled, found.out_of_order), ([1], []))


class LastWins(unittest.TestCase):
    def test_an_edit_that_was_overtaken_is_not_lost(self):
        self.assertTrue(judge.last_wins([1, 2, 3], [1, 3], now=3).held())

    def test_an_edit_that_nobody_acknowledged_may_have_the_last_word(self):
        self.assertTrue(judge.last_wins([1, 2], [1, 2, 3], now=3).held())

    def test_edits_after_the_last_that_arrived_are_lost(self):
        self.assertEqual(judge.last_wins([1, 2, 3], [1], now=1).lost, [2, 3])
        self.assertEqual(judge.last_wins([1], [], now=0).lost, [1])

    def test_an_older_one_that_stands_at_the_end_is_a_loss(self):
        self.assertEqual(judge.last_wins([1, 2], [1, 2], now=1).lost, [2])

    def test_an_older_one_that_was_told_later_is_out_of_order(self):
        self.assertEqual(judge.last_wins([1, 2], [2, 1], now=2).out_of_order, [1])


class Verdicts(unittest.TestCase):
    def test_the_sum_says_of_which_lane_each_is(self):
        both = judge.each_once([1, 2], [1], ordered=True).of("webhook") + judge.each_once([1], [1, 1], ordered=False).of("payment")
        self.assertEqual((both.lost, both.doubled), (["webhook 2"], ["payment 1"]))
        self.assertEqual(both.line(), "acknowledged 3, lost 1, doubled 1, out of order 0")
        self.assertFalse(both.held())


if __name__ == "__main__":
    unittest.main()
