"""Documents and rules to answers: composes the parts, decides by the model's probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import define, field

from ...models import Result, Rule
from ..text import Page
from .features import features
from .knowledge import Knowledge
from .links import is_catch_all
from .model import Model
from .reading import Reading
from .reasoning import Answer, explain
from .rule_set import RuleSet
from .scores import measure
from .sources import Sources
from .values import Floats

_RULE_SETS_KEPT = 32
# Less than this is a stamp or a page number, no document to judge.
_FEWEST_WORDS = 4


@define
class Engine:
    """Classifies documents; one at a time, the same document always the same way.

    Attributes:
        knowledge: What is known about common types of documents.
        model: The weights.
    """

    knowledge: Knowledge
    model: Model
    _prepared: dict[tuple[Rule, ...], RuleSet] = field(factory=dict, init=False, repr=False)

    @classmethod
    def load(cls) -> Engine:
        """Read everything that the engine needs from its package."""
        return cls(Knowledge.load(), Model.load())

    def classify(self, pages: Sequence[Page], rules: Sequence[Rule]) -> Result:
        """Find the rule that a document fits.

        Args:
            pages: The document's text.
            rules: At least one.

        Returns:
            The best rule's type, or None when none fits, with the probability of that answer and the
            evidence for it.
        """
        specific = [rule for rule in rules if not is_catch_all(rule)] or list(rules)
        catch_all = next((rule for rule in rules if rule not in specific), None)
        ruleset = self._ruleset(tuple(specific))
        sources = Sources.of(Reading.of(pages), self.knowledge)
        scores = measure(sources, ruleset, self.knowledge)
        chances = self.model.probabilities(features(scores), encoder=scores.similarity is not None)
        if len(sources.reading.words) < _FEWEST_WORDS:
            chances = np.append(np.zeros(len(specific)), 1.0)
        answer = _answer(chances, catch_all)
        chosen = catch_all if answer.chosen is None else ruleset.rules[answer.chosen]
        return Result(
            type=chosen.type if chosen else None,
            confidence=round(float(chances.max()), 4),
            reasoning=explain(answer, sources, ruleset, scores, self.knowledge),
        )

    def _ruleset(self, rules: tuple[Rule, ...]) -> RuleSet:
        """Rules are mostly the same from one document to the next: prepared once."""
        if rules not in self._prepared:
            if len(self._prepared) >= _RULE_SETS_KEPT:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[rules] = RuleSet.of(rules, self.knowledge)
        return self._prepared[rules]


def _answer(chances: Floats, catch_all: Rule | None) -> Answer:
    """Rank the rules; what stands last in `chances` is none of them."""
    none = len(chances) - 1
    order = [int(index) for index in np.argsort(-chances, kind="stable")]
    chosen = None if order[0] == none else order[0]
    runner_up = next((index for index in order if index not in {none, chosen}), None)
    return Answer(chosen, runner_up, float(chances[runner_up or 0]), catch_all)
