"""Why an answer was given: what was found and where, and what could not be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from ...models import Rule
from .exclusions import carried
from .knowledge import Knowledge
from .lexical import shared_words
from .lexicon import Cue
from .negation import exclusions, unjudged
from .reading import Reading
from .rule_set import RuleSet
from .scores import Scores
from .sources import Sources

_PHRASES = 3
_WORDS = 6
_QUOTE = 110
# From this score on a known type is worth naming.
_TELLING = 0.5
_TELLING_CUE = 0.7
# From this likeness on a document reads as those of a type do.
_ALIKE = 0.2
# Common words that a rule excludes stand in too many documents to be told.
_CARRIED = 0.4


@frozen(eq=False)
class Answer:
    """What there is to explain.

    Attributes:
        chosen: The index of the rule that was chosen; None for no rule.
        runner_up: The index of the best rule that was not chosen, if there is one.
        chance: The runner-up's probability.
        catch_all: The rule that takes what fits no other, if there is one.
    """

    chosen: int | None
    runner_up: int | None
    chance: float
    catch_all: Rule | None


def explain(answer: Answer, sources: Sources, ruleset: RuleSet, scores: Scores, knowledge: Knowledge) -> str:
    """A few sentences of evidence, the first of which stands on its own."""
    case = _Case(sources, ruleset, scores, knowledge)
    lines = _no_rule(answer, case) if answer.chosen is None else _a_rule(answer.chosen, case)
    return " ".join([*lines, *_closing(answer, case)])


@frozen(eq=False)
class _Case:
    sources: Sources
    ruleset: RuleSet
    scores: Scores
    knowledge: Knowledge

    def label(self, rule: int) -> str:
        return self.ruleset.rules[rule].type

    def plural(self, key: str | None) -> str:
        """What documents of a known type are called."""
        if key is None:
            return "such documents"
        known = self.knowledge.lexicon.types.get(key)
        name = known.called[0] if known else key.replace("_", " ")
        return name if name.endswith("s") else f"{name[:-1]}ies" if name.endswith("cy") else f"{name}s"

    def typical(self, key: str | None) -> str:
        """The words that make the document like those of a type, with their pages; empty for none."""
        if key is None or self.sources.likeness.get(key, 0.0) < _ALIKE:
            return ""
        reading = self.sources.reading
        words = self.knowledge.learned.telling(self.sources.vector, reading, key)[:_WORDS]
        pages = sorted({reading.page_number(reading.first_places[word]) for word in words})
        return f"{_listed(words)} ({_where(pages)})" if words else ""

    def cues(self, rule: int) -> list[Cue]:
        """The most telling phrases of the rule's known type."""
        return [cue for cue in self._found(rule) if cue.weight > 0][:_PHRASES]

    def cues_against(self, rule: int) -> list[Cue]:
        """The phrases that speak most against it."""
        return [cue for cue in reversed(self._found(rule)) if cue.weight < 0][:_PHRASES]

    def _found(self, rule: int) -> Sequence[Cue]:
        key = self.scores.shown[rule]
        found = self.sources.evidence.get(key) if key else None
        return found.cues if found else ()


def _a_rule(rule: int, case: _Case) -> Iterator[str]:
    cues = case.cues(rule)
    reading = case.sources.reading
    shared = shared_words(case.ruleset.terms[rule], reading)[:_WORDS]
    shown = case.scores.shown[rule]
    typical = case.typical(shown)
    if cues:
        yield f"Carries {_phrases(cues, reading)}, as {case.plural(shown)} do."
    elif typical:
        yield f"Its words are those of {case.plural(shown)}: {typical}."
    elif shared:
        yield f'Shares {_listed(shared)} with the criteria of "{case.label(rule)}".'
    else:
        yield f'Closest in meaning to the criteria of "{case.label(rule)}"; no telling word was found.'
    if case.scores.title[rule] > 0.3:
        yield f'"{case.label(rule)}" stands in its heading.'
    if cues and typical:
        yield f"Other words that {case.plural(shown)} use: {typical}."
    if (cues or typical) and shared:
        yield f"Words shared with the criteria: {_listed(shared)}."
    yield from _against(rule, case)
    yield from _passage(rule, case)


def _no_rule(answer: Answer, case: _Case) -> Iterator[str]:
    opening = "No rule fits"
    if answer.catch_all:
        opening = f'Left to "{answer.catch_all.type}", as no other rule fits'
    outside = case.scores.outside_type
    evidence = case.sources.evidence.get(outside or "")
    telling = [cue for cue in evidence.cues if cue.weight > 0][:_PHRASES] if evidence else []
    if evidence and telling and evidence.score >= _TELLING and telling[0].weight >= _TELLING_CUE:
        phrases = _phrases(telling, case.sources.reading)
        yield f"{opening}: it carries {phrases}, as {case.plural(outside)} do."
    elif typical := case.typical(outside):
        yield f"{opening}: its words are those of {case.plural(outside)}: {typical}."
    else:
        yield f"{opening}: too little of what the rules ask for was found."
    if answer.runner_up is not None:
        yield _closest_rule(answer.runner_up, case)
        yield from _against(answer.runner_up, case)
    for rule in range(len(case.ruleset.rules)):
        if rule != answer.runner_up:
            yield from _excluded(rule, case)


def _closest_rule(rule: int, case: _Case) -> str:
    shared = shared_words(case.ruleset.terms[rule], case.sources.reading)[:_WORDS]
    if shared:
        return f'The closest, "{case.label(rule)}", shares only {_listed(shared)} with it.'
    return f'The closest, "{case.label(rule)}", shares no word with it.'


def _against(rule: int, case: _Case) -> Iterator[str]:
    """What was found that speaks against a rule."""
    if cues := case.cues_against(rule):
        yield f"Against it: {_phrases(cues, case.sources.reading)}."
    yield from _excluded(rule, case)


def _excluded(rule: int, case: _Case) -> Iterator[str]:
    """What a rule excludes and the document has."""
    reading, excluded = case.sources.reading, case.ruleset.exclusions[rule]
    if words := [part for part in (*excluded.names, *excluded.words) if carried(part, reading) >= _CARRIED]:
        quoted = _listed([" ".join(part) for part in words])
        yield f'"{case.label(rule)}" excludes {quoted}, which the document carries.'
    if excluded.types and case.scores.excluded_type[rule]:
        types = ", ".join(map(case.plural, sorted(excluded.types)))
        yield f'"{case.label(rule)}" excludes {types}, which the document looks like.'


def _closing(answer: Answer, case: _Case) -> Iterator[str]:
    if answer.chosen is not None and answer.runner_up is not None:
        yield f'Next: "{case.label(answer.runner_up)}" ({_percent(answer.chance)}).'
    rule = answer.chosen if answer.chosen is not None else answer.runner_up
    if rule is None:
        return
    description = case.ruleset.rules[rule].description
    if clauses := exclusions(description):
        yield f"Judged by its words alone: {_quoted(clauses)}."
    if left := unjudged(description):
        yield f"Not judged (amounts and conditions are not understood here): {_quoted(left)}."


def _passage(rule: int, case: _Case) -> Iterator[str]:
    if case.scores.closest:
        chunk = case.sources.chunks[case.scores.closest[rule]]
        yield f'Closest passage (page {chunk.page}): "{_short(chunk.text, _QUOTE)}".'


def _phrases(cues: Sequence[Cue], reading: Reading) -> str:
    pages = sorted({reading.page_number(cue.place) for cue in cues})
    return f"{_listed([cue.phrase for cue in cues])} ({_where(pages)})"


def _where(pages: Sequence[int]) -> str:
    return f"page {pages[0]}" if len(pages) == 1 else "pages " + ", ".join(map(str, pages))


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(f'"{part}"' for part in parts)


def _quoted(clauses: Sequence[str]) -> str:
    return _listed([_short(clause, 50) for clause in clauses[:3]])


def _percent(chance: float) -> str:
    return f"{chance:.0%}" if chance >= 0.01 else "below 1%"


def _short(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0] + "\u2026"
