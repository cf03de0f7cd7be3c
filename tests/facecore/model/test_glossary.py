"""The glossary explains each word once, in plain sentences."""

import pytest

from facecore.model import GLOSSARY, glossary_page


@pytest.mark.parametrize("term", GLOSSARY)
def test_an_explanation_is_a_few_whole_sentences(term):
    text = GLOSSARY[term]
    assert text[0].isupper()
    assert text.endswith(".")
    assert len(text) <= 260


def test_the_terms_are_sorted_and_the_page_has_each_of_them():
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.casefold)
    page = glossary_page().casefold()
    assert all(f"**{term.casefold()}**: " in page for term in GLOSSARY)
