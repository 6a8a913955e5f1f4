"""The shape of the counting tree."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from drumbeat.ledger.tree import FANOUT, Node, chunk_at, leaves, locate, partial, root

counts = st.integers(1, 20_000)


@given(chunk=st.integers(0, 20_000_000))
def test_each_chunk_has_one_place(chunk: int) -> None:
    leaf, position = locate(chunk)

    assert 0 <= position < FANOUT
    assert chunk == chunk_at(leaf.index, position)


@settings(max_examples=30, deadline=None)
@given(chunks=counts)
def test_sealing_tells_every_node_its_true_size(chunks: int) -> None:
    sizes = Counter(locate(chunk)[0] for chunk in range(chunks))
    level = set(sizes)
    while len(level) > 1:
        level = {node.parent()[0] for node in level}
        sizes.update(Counter(node.parent()[0] for node in sizes if node.parent()[0] in level))

    told = dict(partial(chunks))

    assert leaves(chunks) == sum(node.level == 0 for node in sizes)
    assert level == {root(chunks)}
    assert root(chunks) == list(told)[-1]
    assert {node: size for node, size in sizes.items() if size < FANOUT or node == root(chunks)} == told


def test_a_million_chunks_need_few_nodes_and_no_hot_one() -> None:
    chunks = 1_000_000
    neighbours = Counter(locate(chunk)[0] for chunk in range(500_000, 501_000))

    assert Node(2, 0) == root(chunks)
    assert leaves(chunks) + 16 + 1 < chunks * 0.004  # writes of inner nodes, on top of one per chunk
    assert 32 >= max(neighbours.values())  # of a thousand workers at the same moment
    assert 34 >= len(list(partial(chunks)))
