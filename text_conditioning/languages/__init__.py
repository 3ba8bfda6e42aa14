"""Assertion rules, one JSON file for each language; `text_conditioning.assertion_languages` reads them."""
