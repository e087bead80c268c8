"""Saga: a long transaction as a sequence of small ones, each with a compensation that undoes what it did."""
