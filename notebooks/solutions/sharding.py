"""Reference solutions of notebooks/03_sharding.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.sharding import plan`, and run the check.
"""


def plan(load, machines, threshold):
    """Write it 1: move the heaviest shard that helps from the fullest machine, and look again.

    A move pays if the fuller of the two machines gets emptier. A drained machine counts as over-full.
    """
    where = {shard: machine for shard, (machine, _) in load.items()}
    moves = []

    def full(machine, more=0):
        weight = more + sum(weight for shard, (_, weight) in load.items() if where[shard] == machine)
        return weight / machines[machine] if machines[machine] else float("inf")

    average = sum(weight for _, weight in load.values()) / sum(machines.values())

    def worth(shard, taker):
        giver, weight = where[shard], load[shard][1]
        if taker == giver or not machines[taker]:
            return False
        if full(giver) <= average * (1 + threshold) and full(taker) >= average * (1 - threshold):
            return False
        if not machines[giver]:
            return True
        before, after = full(giver), full(taker, weight)
        return weight > 0 and (after < before or (after == before and full(giver, -weight) > full(taker)))

    while True:
        found = [(shard, taker) for shard in load for taker in machines if worth(shard, taker)]
        if not found:
            return moves
        best = max(found, key=lambda move: (full(where[move[0]]), load[move[0]][1], -full(move[1])))
        moves.append(best)
        where[best[0]] = best[1]


def on_reply(map, request, reply):
    """Write it 2: MOVED changes the map if it is newer; ASK is for one request; otherwise the map says where to go."""
    if reply.kind == "ok":
        return map, None
    if reply.kind == "ask":
        return map, (reply.to, True)
    if reply.kind == "moved" and reply.epoch > map[request.slot][1]:
        map = {**map, request.slot: (reply.to, reply.epoch)}
    return map, (map[request.slot][0], False)
