"""Figures of the experiments: each is drawn from the tables of a finding alone, and returns a figure.

Survivors are in colour over grey dead throughout; bars are 95 % t intervals over clusters.
"""
