"""Laws written as formulas: a grammar of their own, exact derivatives, and how their parameters are estimated.

Text becomes a tree (``grammar``), whose names are resolved (``statement``); sympy expressions are built of it node by
node and differentiated once (``symbolic``), compiled to NumPy (``compiled``), and rolled out by multiple shooting
(``law``, ``fitting``). No text is ever evaluated.
"""
