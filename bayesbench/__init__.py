"""bayesbench: a posterior over a (models x benchmarks) score matrix."""
