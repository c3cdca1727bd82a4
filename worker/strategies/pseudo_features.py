"""Pseudo-features: the network of a source whose missing columns were made up.

Levin et al., "Transfer learning with deep tabular models", ICLR 2023, arXiv:2206.15306. What is
done to the rows stands in worker/references/made_up_rows.py. Without target labels the network is
taken as it is; with some all its layers are fine-tuned (worker/strategies/fine_tune.py).
"""

from worker.strategies import own_pretraining

phases = own_pretraining.phases
