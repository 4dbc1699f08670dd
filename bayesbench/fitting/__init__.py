"""Fitting: engines behind one contract, one runner of chains, cross-fits. The only user of jax."""
