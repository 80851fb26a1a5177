"""Which shard each symbol belongs to: nearly the same answer after a shard or a symbol came or went, and even shares.

Rendezvous hashing (D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM Transactions on
Networking 6(1), 1998): each pair of symbol and shard has a weight that depends on these two alone, and a symbol goes where its weight is
highest. Left at that, few symbols make very uneven shares, and some shards get none. So shares are bounded (V. Mirrokni, M. Thorup,
M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018), here as tightly as can be: the pairs are taken from the highest
weight down, and a full shard takes no more. No two shards differ by more than one symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b


def place(symbols: Sequence[str], replicas: int) -> tuple[tuple[str, ...], ...]:
    """Return the symbols of each shard, in the order that they were given in; which shard gets which doesn't depend on that order.

    Raises:
        ValueError: there are fewer symbols than shards, so that some shard would have nothing to do.
    """
    if not 1 <= replicas <= len(symbols):
        raise ValueError(f"{len(symbols)} symbols can't be shared by {replicas} shards: each needs one at least")
    if replicas == 1:
        return (tuple(symbols),)
    share, larger = divmod(len(symbols), replicas)
    pairs = sorted(((_weight(symbol, shard), symbol, shard) for symbol in set(symbols) for shard in range(replicas)), reverse=True)
    shard_of: dict[str, int] = {}
    sizes = [0] * replicas
    for _, symbol, shard in pairs:
        if symbol in shard_of or sizes[shard] > share or (sizes[shard] == share and not larger):
            continue
        if sizes[shard] == share:
            larger -= 1
        shard_of[symbol] = shard
        sizes[shard] += 1
    return tuple(tuple(symbol for symbol in symbols if shard_of[symbol] == shard) for shard in range(replicas))


def _weight(symbol: str, shard: int) -> bytes:
    return blake2b(f"{symbol}\n{shard}".encode(), digest_size=8).digest()
