"""Which images meet in which batch: one sampler a file, a pure function of (seed, epoch).

A sampler takes what its protocol gives: `ListedPairs` takes `Pairs`, the other two take `Identities`. The
class-balanced sampler of pytorch-metric-learning is not used: it shuffles with a global generator, which no
interrupted training could resume.
"""
