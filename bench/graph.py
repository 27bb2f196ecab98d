"""The graph that every arm deploys: chains, fan-outs and diamonds, in blocks of ten."""

import hashlib

# Position in a block -> the positions it depends on: a chain 0-1-2, a fan-out from 0 to 3, 4, 5 and 6, and the diamond 3, 4 -> 7, 8 -> 9.
BLOCK = [[], [0], [1], [0], [0], [0], [0], [3], [4], [7, 8]]


def graph(size):
    """Names of the nodes, each before those that depend on it, with the names of at most two that it depends on."""
    edges = {}
    for number in range(size):
        block, position = divmod(number, len(BLOCK))
        first = block * len(BLOCK)
        before = [first + other for other in BLOCK[position]]
        if position == 0 and block > 0:
            before = [first - len(BLOCK)]  # the blocks hang together by their first nodes
        edges[name(number)] = [name(other) for other in before]
    return edges


def name(number):
    return f"n{number:03}"


def leaf(edges):
    """The last node that no other depends on: the one that is changed where one changes."""
    needed = {other for before in edges.values() for other in before}
    return [node for node in edges if node not in needed][-1]


def values(edges, salts):
    """What every node must pass on, worked out without Terraform."""
    found = {}
    for node, before in edges.items():
        left, right = ([found[other] for other in before] + ["", ""])[:2]
        found[node] = hashlib.sha256(f"{salts[node]}|{left}|{right}".encode()).hexdigest()
    return found
