"""`ClassifySession.classify_many`, streamed."""

from collections.abc import Iterator

from measuring import KEY, RULES, Tally, main

from llamaclassify import ClassifySession, Rule
from llamaclassify.events import Listener


async def classify(
    url: str, documents: Iterator[str], concurrency: int, tally: Tally, on_event: Listener | None = None
) -> None:
    rules = [Rule(**rule) for rule in RULES]
    async with (
        ClassifySession(KEY, base_url=url, on_event=on_event) as session,
        session.classify_many(documents, rules=rules, concurrency=concurrency) as outcomes,
    ):
        async for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            tally.add(outcome.job.status, outcome.job.updated_at)


if __name__ == "__main__":
    main(classify)
