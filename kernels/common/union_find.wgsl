// Union-find of nodes that invocations join at the same time, without locks (Jayanti, Tarjan 2016).
//
// A kernel that imports this declares `dst_nodes: array<atomic<u32>>`; a set of nodes starts at `base`, each its own parent before.
// A node only ever gets a parent of higher rank, and rank is a hash: trees are O(log n) high whatever is joined in whatever order. Every
// step counts against the budget of the invocation; whoever finds it spent must say so.

// A bijection of 32-bit words (Wellons' lowbias32, inverted): no two nodes are equal, and node 0 comes first.
fn rank(node: u32) -> u32 {
    var h = node;
    h = (h ^ (h >> 16u)) * 0x7feb352du;
    h = (h ^ (h >> 15u)) * 0x846ca68bu;
    return ~(h ^ (h >> 16u));
}

// Root of a node, halving the path to it.
fn root_of(base: u32, start: u32, budget: ptr<function, u32>) -> u32 {
    var node = start;
    while (*budget > 0u) {
        *budget -= 1u;
        let parent = atomicLoad(&dst_nodes[base + node]);
        let above = atomicLoad(&dst_nodes[base + parent]);
        if (parent == above) {
            return parent;
        }
        atomicStore(&dst_nodes[base + node], above);
        node = above;
    }
    return node;
}

fn join(base: u32, a: u32, b: u32, budget: ptr<function, u32>) {
    var p = a;
    var q = b;
    while (*budget > 0u) {
        p = root_of(base, p, budget);
        q = root_of(base, q, budget);
        if (p == q || *budget == 0u) {
            return;
        }
        if (rank(p) > rank(q)) {
            let lower = q;
            q = p;
            p = lower;
        }
        *budget -= 1u;
        if (atomicCompareExchangeWeak(&dst_nodes[base + p], p, q).exchanged) {
            return;
        }
    }
}
