import unicodedata

import babel
import numpy as np

LANGUAGE_CODES = {
    "Czech": "cs",
    "Danish": "da",
    "Dutch": "nl",
    "English": "en",
    "Estonian": "et",
    "Finnish": "fi",
    "French": "fr",
    "German": "de",
    "Hungarian": "hu",
    "Italian": "it",
    "Polish": "pl",
    "Portuguese": "pt",
    "Spanish": "es",
    "Swedish": "sv",
    "Turkish": "tr",
}
LANGUAGES = tuple(LANGUAGE_CODES)
LONGEST_NAME = 24


def load_names(languages=LANGUAGES):
    """Names of countries, languages and currencies, each in its own language: which language is it?

    languages: some of LANGUAGES, in the order of their labels. Returns names, a list of n different lower-case
    texts of 3 to 24 letters, spaces, hyphens and apostrophes, sorted; and labels, (n,) integers, the places in
    `languages`. A name that several of these languages share (like "angola") is left out.
    Raises ValueError for a language that is not in LANGUAGES.
    Source: Unicode CLDR, as it comes with Babel.
    """
    unknown = set(languages) - set(LANGUAGES)
    if unknown:
        raise ValueError(f"load_names has no {', '.join(sorted(unknown))}: it has {LANGUAGES}")
    owners = {}
    for label, language in enumerate(languages):
        locale = babel.Locale(LANGUAGE_CODES[language])
        for table in (locale.territories, locale.languages, locale.currencies):
            for text in table.values():
                name = unicodedata.normalize("NFC", text.lower().replace("’", "'"))
                owners.setdefault(name, set()).add(label)
    names = sorted(name for name, owner in owners.items() if len(owner) == 1 and is_plain(name))
    return names, np.array([min(owners[name]) for name in names])


def is_plain(name):
    """Whether a name has a usual length and only Latin letters, spaces, hyphens and apostrophes."""
    latin = all(
        letter in " -'" or unicodedata.name(letter, "").startswith("LATIN") for letter in name
    )
    return latin and 3 <= len(name) <= LONGEST_NAME
