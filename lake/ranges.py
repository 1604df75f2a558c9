"""Half-open ranges of integers, such as stretches of time in microseconds: joined, and what they leave open. Pure."""

from collections.abc import Iterable

Range = tuple[int, int]
"""``start`` belongs to it, ``end`` does not."""


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Return the same stretches in order, those that overlap or touch as one, empty ones left out."""
    found: list[Range] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def gaps(start: int, end: int, known: Iterable[Range]) -> list[Range]:
    """Return what lies between ``start`` and ``end`` and in none of the ``known`` ranges, in order."""
    found, at = list[Range](), start
    for low, high in joined(known):
        if low > at:
            found.append((at, min(low, end)))
        at = max(at, high)
    found.append((at, end))
    return [one for one in found if one[0] < one[1]]


def shared(left: Iterable[Range], right: Iterable[Range]) -> list[Range]:
    """Return what lies both in a range of ``left`` and in one of ``right``, in order."""
    ones, others, found, at = joined(left), joined(right), list[Range](), 0
    for start, end in ones:
        while at < len(others) and others[at][1] <= start:
            at += 1
        for low, high in others[at:]:
            if low >= end:
                break
            found.append((max(start, low), min(end, high)))
    return found
