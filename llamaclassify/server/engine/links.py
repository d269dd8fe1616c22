"""Which known type a rule speaks of, and how sure that is.

A link must be earned: by a name of the type in the rule's own `type`, less so by its description.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from ...models import Rule
from .lexicon import Lexicon, Phrase
from .negation import asserted
from .tokens import find_run, label_words, words

# Words that a label may carry without meaning anything else by it.
_FILLERS = frozenset(
    "a an the doc document file form page pdf scan scanned copy paper record type class category and or of"
    " for my our new old signed draft final".split()
)
_CATCH_ALL = frozenset(
    "other misc miscellaneous unknown none else default uncategorized uncategorised unclassified unrelated"
    " irrelevant rest everything anything sonstige autre otro altro".split()
)
_DESCRIPTION_START = 25
# From here on a label names a type; below, the description must carry enough of its phrases.
_SURE = 0.6
_ENOUGH_CUES = 1.0
# From here on its label leaves no doubt.
_CERTAIN = 0.95
# A link by meaning: measured on the corpus, at least 98 % of such links are right.
_CLOSE, _VERY_CLOSE, _CLEAR_LEAD = 0.45, 0.6, 0.1
# Below this a type that shares a word with a label is something else.
_FAR = 0.35
# What a description alone must reach.
_ENOUGH = 0.4


@frozen
class Link:
    """A rule's connection to a known type.

    Attributes:
        key: The type.
        strength: 0 to 1.
    """

    key: str
    strength: float


def is_catch_all(rule: Rule) -> bool:
    """Whether a rule is for whatever the other rules leave over."""
    label = [word for word in label_words(rule.type) if word not in _FILLERS]
    return bool(label) and all(word in _CATCH_ALL for word in label)


def find_link(
    rule: Rule,
    lexicon: Lexicon,
    hidden: Collection[str] = (),
    closeness: Mapping[str, float] | None = None,
) -> Link | None:
    """The known type that a rule speaks of, if it can be told.

    Args:
        rule: The rule.
        lexicon: What is known.
        hidden: Types to act as if unknown; how the engine is tested on types that nobody wrote down.
        closeness: How close in meaning the rule is to each type, where an encoder can say.
    """
    description = words(asserted(rule.description))
    supports = lexicon.cues_in(description)
    named = _by_label(tuple(label_words(rule.type)), lexicon, hidden)
    ranked = sorted(named, key=lambda link: (-link.strength, -supports.get(link.key, 0.0), link.key))
    best = ranked[0] if ranked else None
    if best and best.strength >= _CERTAIN:
        return best
    if meant := _by_meaning(closeness or {}, lexicon, hidden):
        return meant
    if best and closeness and closeness[best.key] < _FAR and supports.get(best.key, 0.0) <= 0:
        # "hive log" has a word in common with log files, and nothing else
        best = None
    if best and (best.strength >= _SURE or supports.get(best.key, 0.0) >= _ENOUGH_CUES):
        return Link(best.key, max(best.strength, _SURE))
    return _by_description(tuple(description[:_DESCRIPTION_START]), supports, lexicon, hidden)


def _by_meaning(closeness: Mapping[str, float], lexicon: Lexicon, hidden: Collection[str]) -> Link | None:
    """The closest type, if it is clearly closer than every type that is no relation of it."""
    ranked = sorted((-close, key) for key, close in closeness.items() if key not in hidden)
    if not ranked:
        return None
    close, key = -ranked[0][0], ranked[0][1]
    family = lexicon.family(key)
    second = next((-other for other, name in ranked if name not in family), 0.0)
    clear = close - second >= _CLEAR_LEAD or (close >= _VERY_CLOSE and close - second >= _CLEAR_LEAD / 2)
    return Link(key, min(0.9, 0.3 + close)) if close >= _CLOSE and clear else None


def _by_label(label: Phrase, lexicon: Lexicon, hidden: Collection[str]) -> list[Link]:
    """Every type of which a name shares words with a label; the longest name decides."""
    present, joined = set(label), "".join(label)
    best: dict[str, tuple[float, int]] = {}
    for name, keys in lexicon.names.items():
        if present.isdisjoint(name) and "".join(name) != joined:
            continue
        found = (_name_strength(label, name), len(name))
        for key in keys:
            if found[0] and key not in hidden:
                best[key] = max(best.get(key, (0.0, 0)), found)
    # a longer name says more: "purchase order form" is no order form
    longest = max((size for strength, size in best.values() if strength >= _SURE), default=0)
    return [
        Link(key, strength) for key, (strength, size) in best.items() if size >= longest or strength == 1.0
    ]


def _name_strength(label: Phrase, name: Phrase) -> float:
    if label == name:
        return 1.0
    if sorted(label) == sorted(name) or "".join(label) == "".join(name):
        return 0.97
    place = find_run(name, label)
    if place >= 0:
        others = [*label[:place], *label[place + len(name) :]]
        if all(word in _FILLERS or word.isdigit() for word in others):
            return 0.95
        return 0.85 if place + len(name) == len(label) else _SURE
    if set(name) < set(label):
        return _SURE
    return 0.3 if set(label) < set(name) else 0.0


def _by_description(
    beginning: Phrase, supports: Mapping[str, float], lexicon: Lexicon, hidden: Collection[str]
) -> Link | None:
    strengths: dict[str, float] = {}
    present = set(beginning)
    for name, keys in lexicon.names.items():
        if present.issuperset(name) and (place := find_run(name, beginning)) >= 0:
            # Named first and with several words is meant; a word in passing is not.
            strength = min(0.6, 0.3 + 0.15 * len(name)) / (1 + place / 12)
            for key in keys:
                strengths[key] = max(strengths.get(key, 0.0), strength)
    totals = {
        key: strengths.get(key, 0.0) + min(0.3, 0.1 * max(0.0, supports.get(key, 0.0)))
        for key in {*strengths, *supports}
        if key not in hidden
    }
    strength, key = max(((total, key) for key, total in totals.items()), default=(0.0, ""))
    return Link(key, min(0.7, strength)) if strength >= _ENOUGH else None
