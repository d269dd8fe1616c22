# %% [markdown]
# # Which rules fit these documents?
#
# In a notebook: run it cell by cell, in an editor that knows `# %%`, or let jupytext make a notebook of it.
# As a script:
#
#     pip install 'llamaclassify[all]'
#     FOLDER=inbox python notebook.py
#
# With LLAMA_CLOUD_API_KEY it uses the service, without it classifies on this machine.

# %%
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal

from llamaclassify import ClassifySession, Outcome, Rule
from llamaclassify.server import LocalServer

FOLDER = Path(os.environ.get("FOLDER", "inbox"))
DOCUMENTS = sorted(FOLDER.iterdir())
JOURNAL = FOLDER.with_suffix(".journal")  # a cell that is run again classifies, and bills, nothing again


# %%
@asynccontextmanager
async def opened() -> AsyncIterator[ClassifySession]:
    if "LLAMA_CLOUD_API_KEY" in os.environ:
        async with ClassifySession() as session:
            yield session
    else:
        async with LocalServer() as server, ClassifySession("llx-local", base_url=server.url) as session:
            yield session


async def classified(rules: list[Rule]) -> list[Outcome]:
    async with opened() as session:
        return await session.classify_many(DOCUMENTS, rules=rules, journal=JOURNAL)


def label(outcome: Outcome) -> str:
    return outcome.result.type or "(none)" if outcome.ok else "(error)"


# %% [markdown]
# A notebook has an event loop that is running already: it refuses `asyncio.run`, and takes
# `outcomes = await classified(RULES)` as it stands. In a script it is the other way round. A loop in a thread
# of its own works in both.


# %%
def run(work: Callable[..., Coroutine[Any, Any, Any]], *arguments: object) -> Any:
    with start_blocking_portal() as portal:
        return portal.call(work, *arguments)


# %%
RULES = [
    Rule("invoice", "contains an invoice number, line items, and a total amount"),
    Rule("resume", "describes one person's education and work experience"),
]
outcomes = run(classified, RULES)
print(Counter(map(label, outcomes)))

# %% [markdown]
# The least sure first: here you see whether the rules say what you mean.

# %%
for outcome in sorted(outcomes, key=lambda outcome: outcome.result.confidence if outcome.ok else 0):
    print(outcome.document.name, label(outcome), outcome.result.confidence if outcome.ok else outcome.error)

# %% [markdown]
# Another rule, and what it changes. What the first rules gave is still in `outcomes`, and in the journal.

# %%
MORE = [*RULES, Rule("bank_statement", "lists the transactions and the balances of a bank account")]
for before, after in zip(outcomes, run(classified, MORE), strict=True):
    if label(before) != label(after):
        print(f"{after.document.name}: {label(before)} -> {label(after)}")
