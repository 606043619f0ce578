"""Equilibria of fitted laws, and what becomes of states near them."""
