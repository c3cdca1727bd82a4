"""Scaling per domain: the network of a source whose numbers were brought to the target's scale.

What is done to the rows stands in worker/inputs/scaled_rows.py. Without target labels the network
is taken as it is; with some all its layers are fine-tuned (worker/strategies/fine_tune.py).
"""

from worker.strategies import own_pretraining

phases = own_pretraining.phases
