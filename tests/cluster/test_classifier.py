"""What the actor makes of a batch, with no cluster: documents of every kind, and what earlier jobs wrote."""

import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llamaclassify import AuthenticationError, ConfigurationError, PollPolicy, Rate, RateLimit, Rule
from llamaclassify.ray import Classifier, RayBudget, budget
from llamaclassify.ray.earlier import Earlier, Known
from llamaclassify.ray.rows import SCHEMA
from llamaclassify.waiting.journal import Key
from llamaclassify.wire.limits import RateBudget

RULES = [Rule(type="invoice", description="contains an invoice number and a total amount")]
POLL = PollPolicy(initial=0.005, maximum=0.02, timeout=10.0)


async def rows(server, columns, *, earlier=None, **options):
    """What becomes of one batch."""
    connected = {"api_key": server.api_key, "base_url": server.url, "poll": POLL}
    classifier = Classifier(**({"rules": RULES} | connected | options))
    if earlier is not None:
        classifier._known = Known(earlier)
    try:
        [table] = [table async for table in classifier(pa.table(columns))]
    finally:
        await classifier._session.aclose()
    return table.to_pylist()


async def test_bytes_have_their_names_from_a_column_beside_them(server):
    columns = {"path": ["in/invoice-1.pdf", "in/other.pdf", None], "bytes": [b"1", b"2", b"3"]}
    one, two, three = await rows(server, columns)
    assert (one["type"], one["status"], one["confidence"], one["error"]) == (
        "invoice",
        "COMPLETED",
        1.0,
        None,
    )
    assert "'invoice-1.pdf'" in one["reasoning"]
    assert (two["type"], two["status"], two["error"]) == (None, "COMPLETED", None)
    assert "'document'" in three["reasoning"]
    assert one["path"] == "in/invoice-1.pdf"
    assert one["job_id"].startswith("clj-")


async def test_paths_uris_and_ids(server, tmp_path):
    (file := tmp_path / "invoice 1.txt").write_text("x")
    async with server.session() as session:
        file_id = (await session.files.upload(file)).id
    for column in ({"path": [str(file)]}, {"uri": [file.as_uri()]}, {"id": [file_id]}):
        [row] = await rows(server, column)
        assert (row["type"], row["error"]) == ("invoice", None)
    assert server.requests["create"] == 3


async def test_a_row_without_a_document_is_an_error_of_its_own(server, tmp_path):
    (file := tmp_path / "invoice.txt").write_text("x")
    gone = tmp_path / "gone.txt"
    none, found, missing = await rows(server, {"path": [None, str(file), str(gone)]})
    assert none["error"] == "document: the row has none, but None"
    assert found["type"] == "invoice"
    assert "gone.txt: no such file" in missing["error"]
    lost, strange, found, none = await rows(
        server, {"uri": [gone.as_uri(), "gopher://x/y", file.as_uri(), None]}
    )
    assert "gone.txt" in lost["error"]
    assert "gopher" in strange["error"]
    assert found["type"] == "invoice"
    assert none["status"] is None
    [nothing] = await rows(server, {"bytes": pa.array([None], pa.binary())})
    assert nothing["error"]
    assert nothing["job_id"] is None


async def test_a_batch_of_nothing_but_faults(server):
    assert [row["error"] is None for row in await rows(server, {"path": pa.array([None], pa.string())})] == [
        False
    ]


async def test_a_job_that_fails_and_one_that_takes_too_long(server):
    server.script("bad.txt", error="PDF_IS_BROKEN: it cannot be opened")
    server.script("slow.txt", seconds=10**6)
    columns = {"name": ["bad.txt", "slow.txt"], "bytes": [b"1", b"2"]}
    bad, slow = await rows(server, columns, poll=PollPolicy(initial=0.005, maximum=0.01, timeout=0.1))
    assert (bad["status"], bad["type"]) == ("FAILED", None)
    assert bad["error"] == f"job {bad['job_id']} failed: PDF_IS_BROKEN: it cannot be opened"
    assert slow["job_id"] is not None
    assert "did not end in time" in slow["error"]


async def test_a_refused_key_is_nobodys_row(server):
    with pytest.raises(AuthenticationError):
        await rows(server, {"id": ["dfl-1"]}, api_key="wrong")


async def test_the_same_rows_again_are_the_same_jobs(server):
    columns = {"name": ["invoice.txt", "same.txt"], "bytes": [b"the same", b"the same"]}
    first, second = await rows(server, columns), await rows(server, columns)
    assert len({row["job_id"] for row in first + second}) == 1
    [other] = await rows(server, {"bytes": [b"another"]})
    assert other["job_id"] != first[0]["job_id"]


async def test_columns_that_are_there_already(server):
    columns = {"id": ["dfl-1"], "type": ["pdf"], "error": [""]}
    with pytest.raises(ConfigurationError, match="prefix: the rows have type, error already"):
        await rows(server, columns)
    [row] = await rows(server, columns, prefix="class_")
    assert (row["type"], set(row)) == ("pdf", {*columns, *(f"class_{name}" for name in SCHEMA.names)})


async def test_a_column_that_is_not_there(server):
    with pytest.raises(ConfigurationError, match="column: the rows have no one of bytes, path, uri, id"):
        await rows(server, {"number": [1]})
    with pytest.raises(ConfigurationError, match="column: the rows have no 'scan'; they have number"):
        await rows(server, {"number": [1]}, column="scan", kind="bytes")
    [row] = await rows(server, {"scan": [b"1"], "name": ["invoice.txt"]}, column="scan", kind="bytes")
    assert row["type"] == "invoice"
    for options in ({"column": "scan"}, {"kind": "blob"}):
        with pytest.raises(ConfigurationError, match=r"^kind: "):
            Classifier(rules=RULES, api_key="llx-1", **options)


async def test_what_an_earlier_job_wrote_is_not_asked_for(server, tmp_path):
    server.script("bad.txt", error="it cannot be opened")
    columns = {"name": ["invoice.txt", "bad.txt"], "bytes": [b"1", b"2"]}
    first = await rows(server, columns, prefix="class_")
    pq.write_table(pa.Table.from_pylist(first), tmp_path / "first.parquet")
    earlier = Earlier.in_folder(str(tmp_path), "class_")
    before = server.requests
    assert await rows(server, columns, earlier=earlier, prefix="class_") == first
    assert server.requests == before
    columns = {"name": ["invoice-3.txt"], "bytes": [b"3"]}
    [new] = await rows(server, columns, earlier=earlier)
    assert new["type"] == "invoice"
    other = [Rule(type="letter", description="has a salutation and a closing")]
    [by_others] = await rows(server, {"bytes": [b"1"]}, earlier=earlier, rules=other)
    assert by_others["job_id"] != first[0]["class_job_id"]


async def test_failed_documents_are_tried_again_each_time_that_is_asked_for(server, tmp_path):
    server.script("bad.txt", error="it cannot be opened")
    columns = {"name": ["invoice.txt", "bad.txt"], "bytes": [b"1", b"2"]}
    jobs = set()
    for attempt in range(3):
        earlier = Earlier.in_folder(str(tmp_path), "") if attempt else None
        good, bad = await rows(server, columns, earlier=earlier, retry_failed=True)
        jobs.add(bad["job_id"])
        assert bad["error"] == f"job {bad['job_id']} failed: it cannot be opened"
        pq.write_table(pa.Table.from_pylist([good, bad]), tmp_path / f"{attempt}.parquet")
    assert len(jobs) == 3
    [_, last] = await rows(server, columns, earlier=Earlier.in_folder(str(tmp_path), ""))
    assert last == bad
    assert server.requests["create"] == 4


async def test_what_did_not_end_is_not_done(tmp_path):
    ids = ["00000000-0000-5000-8000-000000000001", None, "30000000-0000-5000-8000-000000000003"]
    columns = {"transaction_id": ids, "status": ["RUNNING", None, "CANCELLED"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    earlier = Earlier.in_folder(str(tmp_path / "a.parquet"), "")
    assert [list(earlier.places_of(key)) for key in (ids[0], ids[2])] == [[], [(f"{tmp_path}/a.parquet", 2)]]


async def test_half_a_key_in_common_is_not_enough(tmp_path):
    entry_id = (await Known(Earlier.in_folder(*written(tmp_path, []))).entry(KEY)).transaction_id
    twin = entry_id[:-1] + ("0" if entry_id[-1] != "0" else "1")
    known = Known(Earlier.in_folder(*written(tmp_path, [twin])))
    assert list(known.earlier.places_of(entry_id))
    assert (await known.entry(KEY)).outcome is None
    known = Known(Earlier.in_folder(*written(tmp_path, [twin, entry_id])))
    assert (await known.entry(KEY)).outcome["transaction_id"] == entry_id


KEY = Key("sha256:1", "https://example.com", "2")


def written(folder, ids):
    rows = [dict.fromkeys(SCHEMA.names) | {"transaction_id": key, "status": "COMPLETED"} for key in ids]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "done.parquet")
    return str(folder), ""


def test_a_folder_that_is_not_ours(tmp_path):
    with pytest.raises(ConfigurationError, match=r"^done: .*nothing"):
        Earlier.in_folder(str(tmp_path / "nothing"), "")
    pq.write_table(pa.table({"number": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ConfigurationError, match=r"^done: .*transaction_id"):
        Earlier.in_folder(str(tmp_path), "")


def test_a_budgets_keeper_after_a_crash(monkeypatch):
    class Context:
        was_current_actor_reconstructed = False

    monkeypatch.setattr(budget.ray, "get_runtime_context", Context)
    limit = RateLimit(creates=Rate(10, 1.0), uploads=None, requests=Rate(5, 30.0))
    assert budget.Keeper().reserve("create", limit).seconds == 0
    Context.was_current_actor_reconstructed = True
    place = budget.Keeper().reserve("create", limit)
    assert not place.is_taken
    assert 25 < place.seconds < 30


def test_a_budgets_keeper_holds_everybody():
    keeper = budget.Keeper()
    keeper.hold(5.0)  # nobody has asked yet
    keeper._ledger = keeper._ledger or budget.Ledger(limit := RateLimit(creates=Rate(10, 1.0)))
    keeper.hold(1.5)
    assert 1 < keeper.reserve("create", limit).seconds < 2
    assert time.monotonic() < keeper._ledger.held


def test_a_budget_is_one():
    assert isinstance(RayBudget(), RateBudget)
    with pytest.raises(ConfigurationError, match="limit"):
        RayBudget("a", RateLimit.unlimited())
