"""What was acknowledged, held against what is there. No input or output."""

import collections
import dataclasses


@dataclasses.dataclass
class Verdict:
    acknowledged: int = 0
    lost: list = dataclasses.field(default_factory=list)
    doubled: list = dataclasses.field(default_factory=list)
    out_of_order: list = dataclasses.field(default_factory=list)

    def of(self, lane):
        """The same, with the lane's name before each number."""
        named = {name: [f"{lane} {number}" for number in getattr(self, name)] for name in ("lost", "doubled", "out_of_order")}
        return Verdict(self.acknowledged, **named)

    def __add__(self, other):
        return Verdict(self.acknowledged + other.acknowledged, self.lost + other.lost, self.doubled + other.doubled,
                       self.out_of_order + other.out_of_order)

    def held(self):
        return not (self.lost or self.doubled or self.out_of_order)

    def line(self):
        return (f"acknowledged {self.acknowledged}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
                f"out of order {len(self.out_of_order)}")


def doubled(found):
    """Every one too many, whether it was acknowledged or not."""
    return [number for number, times in collections.Counter(found).items() for _ in range(times - 1)]


def out_of_order(found):
    """Those that come after a later one. What is there twice is doubled, not out of order."""
    late, latest, seen = [], None, set()
    for number in found:
        if number in seen:
            continue
        seen.add(number)
        if latest is not None and number < latest:
            late.append(number)
        else:
            latest = number
    return late


def each_once(acknowledged, found, ordered):
    """Each that was acknowledged is there, once; in their order if `ordered`."""
    there = set(found)
    return Verdict(len(acknowledged), [number for number in acknowledged if number not in there], doubled(found),
                   out_of_order(found) if ordered else [])


def last_wins(acknowledged, found, now):
    """Edits of one record: `found` are those that the provider was told, `now` is how it stands there. An edit that a
    later one overtook on the way needs no effect of its own; the last one does."""
    reached = max(found, default=0)
    lost = [number for number in acknowledged if number > reached]
    if found and now != reached and not lost:
        lost = [reached]
    return Verdict(len(acknowledged), lost, doubled(found), out_of_order(found))
