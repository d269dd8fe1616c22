"""``report``: what its page holds, and how a browser shows it."""

import json
import re

import pytest

from llamaclassify.cli.records import Record
from llamaclassify.cli.report import page

from .browser import needs_chromium, tab
from .commands import invoke
from .test_cli_evaluate import ANSWERS, answer, by_other_rules


def embedded(html):
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1]
    return json.loads(data)["rows"]


def test_a_report_holds_everything_and_asks_for_nothing(tmp_path):
    lines = "\n".join(
        json.dumps({"document": f"{n}.txt", "type": "invoice", "confidence": 0.5}) for n in "ab"
    )
    output = tmp_path / "report.html"
    result = invoke("report", "-", "--output", output, "--title", "Mine & yours", stdin=lines)
    assert (result.exit_code, result.stdout) == (0, "")
    html = output.read_text()
    assert [row["document"] for row in embedded(html)] == ["a.txt", "b.txt"]
    assert "Mine &amp; yours" in html
    assert "default-src 'none'" in html
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?\s*(https?:)?//""", html)
    assert "Confusion" not in html
    as_list = invoke("report", "-", "--output", output, stdin=f"[{lines.replace(chr(10), ',')}]")
    assert as_list.exit_code == 0


def test_a_report_of_an_evaluation_has_its_scores():
    html = page(ANSWERS, "Evaluated")
    assert all(title in html for title in ("Confusion", "Precision and recall", "Calibration", "Most wrong"))
    assert "50.0%" in html
    assert len(embedded(html)) == len(ANSWERS)


def test_a_report_of_a_comparison_has_both():
    html = page([*ANSWERS, *by_other_rules()], "Compared")
    for title in ("accuracy, rules.yaml", "accuracy, new/rules.yaml", "Confusion, new/rules.yaml", "Worse"):
        assert title in html
    rows = {row["document"]: row for row in embedded(html)}
    assert len(rows) == len(ANSWERS)
    assert rows["f"]["change"] == "better"
    assert [answer["type"] for answer in rows["e"]["answers"]] == [None, "invoice"]


def test_records_by_two_rules_that_are_not_of_the_same_documents_are_one_evaluation():
    html = page([*ANSWERS, *by_other_rules()[1:]], "Evaluated")
    assert len(embedded(html)) == 2 * len(ANSWERS) - 1
    assert "Confusion" in html


def test_what_stands_in_a_document_is_not_part_of_the_page():
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    html = page([answer(evil, evil, evil, error=None), answer("b", None, None, error=evil)], evil)
    assert embedded(html)[0]["document"] == evil
    assert "<img" not in html
    assert html.count("<script") == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "1", '{"document": 1}', '{"document": "a", "confidence": "x"}']
)
def test_what_is_no_run_makes_no_report(tmp_path, text):
    result = invoke("report", "-", "--output", tmp_path / "report.html", stdin=text)
    assert result.exit_code == 2
    assert not (tmp_path / "report.html").exists()


def rows_in(tab):
    """The table as it is shown: the texts of each row's cells."""
    return tab.run(
        "[...document.querySelectorAll('#rows tr')].map((row) =>"
        " [...row.cells].map((cell) => cell.innerText))"
    )


def click(tab, text):
    """Click the button that says so."""
    return tab.run(
        f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{text}').click()"
    )


def choose(tab, id, value):
    """Set a field, as typing or choosing would."""
    event = "change" if id == "kind" else "input"
    return tab.run(
        f"{{ const field = document.getElementById('{id}'); field.value = '{value}';"
        f" field.dispatchEvent(new Event('{event}')) }}"
    )


def is_too_wide(tab):
    """Tell whether the page has to be moved sideways."""
    return tab.run("document.documentElement.scrollWidth > innerWidth")


def written(tmp_path, records):
    path = tmp_path / "report.html"
    path.write_text(page(records, "Report"))
    return path.as_uri()


@needs_chromium
async def test_a_browser_sorts_searches_and_filters(tmp_path):
    evil = "</script><img src=x onerror=alert(1)>"
    records = [
        Record(f"{n:04}.txt", "COMPLETED", ["invoice", "receipt", None][n % 3], n / 5000, "why", None, None)
        for n in range(5000)
    ]
    records.append(Record(evil, None, None, None, None, None, "it is <b>broken</b>"))
    async with tab(tmp_path / "browser") as page:
        await page.open(written(tmp_path, records))
        assert len(await rows_in(page)) == 100
        assert await page.run("document.getElementById('shown').textContent") == "5,001 of 5,001"
        await click(page, "confidence")
        await click(page, "confidence")
        assert (await rows_in(page))[0] == ["4999.txt", "receipt", "1.00", "why"]
        await choose(page, "kind", "invoice")
        await choose(page, "search", "499 txt")
        assert [row[0] for row in await rows_in(page)] == ["4998.txt", "4995.txt", "4992.txt", "2499.txt"]
        await choose(page, "search", "broken")
        assert await rows_in(page) == []
        await click(page, "(error)")
        assert await rows_in(page) == [[evil, "(error)", "", "it is <b>broken</b>"]]
        await choose(page, "search", "")
        await choose(page, "kind", "")
        await click(page, "Show more")
        assert len(await rows_in(page)) == 200
        assert not page.complaints


@needs_chromium
async def test_a_browser_shows_what_a_comparison_changes(tmp_path):
    async with tab(tmp_path / "browser") as page:
        await page.open(written(tmp_path, [*ANSWERS, *by_other_rules()]))
        first = (await rows_in(page))[0]
        assert first[:5] == ["e", "(no rule fits)", "(no rule fits) 0.55", "invoice 0.90", "worse"]
        await choose(page, "kind", "wrong by both")
        assert [row[0] for row in await rows_in(page)] == ["c", "d"]
        await choose(page, "kind", "")
        await click(page, "change")
        await click(page, "change")
        assert [row[4] for row in await rows_in(page)][:3] == [
            "right by both",
            "right by both",
            "wrong by both",
        ]
        assert not page.complaints


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
async def test_a_page_is_as_wide_as_its_window(tmp_path, width):
    long = "x" * 300
    reports = [
        [answer(long, long[:50], "invoice")],
        [*ANSWERS, *by_other_rules()],
        [Record(long, "COMPLETED", long[:50], 0.5, long, None, None)],
    ]
    async with tab(tmp_path / "browser") as page:
        for records in reports:
            await page.open(written(tmp_path, records), width)
            assert not await is_too_wide(page)
