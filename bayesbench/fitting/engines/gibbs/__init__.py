"""Blocked Gibbs sampling of the low-rank model: state, sweep, moves, variates, sampler."""
