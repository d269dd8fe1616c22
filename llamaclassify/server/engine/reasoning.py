"""Why an answer was given: what was found and where, and what could not be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from .lexical import shared_words
from .lexicon import Cue
from .negation import unjudged
from .reading import Reading
from .scores import RuleSet, Scores, Sources

_PHRASES = 3
_WORDS = 6
_QUOTE = 110


@frozen(eq=False)
class Answer:
    """What there is to explain.

    Attributes:
        chosen: The index of the rule that was chosen; None for no rule.
        runner_up: The index of the best rule that was not chosen, if there is one.
        probabilities: One a rule, and last that of none.
    """

    chosen: int | None
    runner_up: int | None
    probabilities: Sequence[float]


def explain(answer: Answer, sources: Sources, ruleset: RuleSet, scores: Scores) -> str:
    """A few sentences of evidence, the first of which stands on its own."""
    case = _Case(sources, ruleset, scores)
    lines = _no_rule(answer, case) if answer.chosen is None else _a_rule(answer.chosen, case)
    return " ".join([*lines, *_closing(answer, case)])


@frozen(eq=False)
class _Case:
    sources: Sources
    ruleset: RuleSet
    scores: Scores

    def label(self, rule: int) -> str:
        return self.ruleset.rules[rule].type

    def cues(self, rule: int) -> list[Cue]:
        key = self.scores.shown[rule]
        found = self.sources.evidence.get(key) if key else None
        return [cue for cue in found.cues if cue.weight > 0][:_PHRASES] if found else []


def _a_rule(rule: int, case: _Case) -> Iterator[str]:
    cues = case.cues(rule)
    reading = case.sources.reading
    shared = shared_words(case.ruleset.terms[rule], reading)[:_WORDS]
    if cues:
        yield f"Carries {_phrases(cues, reading)}, as {_kind(case.scores.shown[rule])} documents do."
    elif shared:
        yield f'Shares {_listed(shared)} with the criteria of "{case.label(rule)}".'
    else:
        yield f'Closest in meaning to the criteria of "{case.label(rule)}"; no phrase or word was found that shows it.'
    if case.scores.title[rule] > 0.3:
        yield f'"{case.label(rule)}" stands in its heading.'
    if cues and shared:
        yield f"Words shared with the criteria: {_listed(shared)}."
    yield from _passage(rule, case)


def _no_rule(answer: Answer, case: _Case) -> Iterator[str]:
    best = answer.runner_up
    outside = case.scores.outside_type
    cues = case.sources.evidence[outside].cues if outside else ()
    telling = [cue for cue in cues if cue.weight > 0][:_PHRASES]
    if outside and telling and case.scores.outside >= 0.5:
        found = _phrases(telling, case.sources.reading)
        yield f"No rule fits: it carries {found}, as {_kind(outside)} documents do, and no rule asks for those."
    else:
        yield "No rule fits: too little of what any rule asks for was found."
    if best is not None:
        shared = shared_words(case.ruleset.terms[best], case.sources.reading)[:_WORDS]
        words = f" shares {_listed(shared)}" if shared else " shares no telling word with it"
        yield f'The document{words} with "{case.label(best)}", the closest rule.' if shared else (
            f'"{case.label(best)}" came closest, but the document{words}.'
        )


def _closing(answer: Answer, case: _Case) -> Iterator[str]:
    if answer.chosen is not None and answer.runner_up is not None:
        chance = answer.probabilities[answer.runner_up]
        yield f'Next: "{case.label(answer.runner_up)}" ({chance:.0%}).'
    rule = answer.chosen if answer.chosen is not None else answer.runner_up
    if rule is not None and (left := unjudged(case.ruleset.rules[rule].description)):
        quoted = ", ".join(f'"{_short(part, 50)}"' for part in left[:3])
        yield f"Not judged (negations, amounts and conditions are not understood here): {quoted}."


def _passage(rule: int, case: _Case) -> Iterator[str]:
    if case.scores.closest:
        chunk = case.sources.chunks[case.scores.closest[rule]]
        yield f'Closest passage (page {chunk.page}): "{_short(chunk.text, _QUOTE)}".'


def _phrases(cues: Sequence[Cue], reading: Reading) -> str:
    pages = sorted({reading.page_number(cue.place) for cue in cues})
    where = f"page {pages[0]}" if len(pages) == 1 else "pages " + ", ".join(map(str, pages))
    return f"{_listed([cue.phrase for cue in cues])} ({where})"


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(f'"{part}"' for part in parts)


def _kind(key: str | None) -> str:
    return (key or "such").replace("_", " ").replace("-", " ")


def _short(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0] + "\u2026"
