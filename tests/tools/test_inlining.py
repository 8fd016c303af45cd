"""What a notebook gets of the kit."""

import pytest

from workshop.tools.errors import BuildError
from workshop.tools.kit import Kit

TABLE = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"


def kit_of(folder, offers, **modules):
    lines = [
        f"    from workshop.kit.{module} import {name} as {name}" for name, module in offers.items()
    ]
    (folder / "__init__.py").write_text(
        TABLE + "\n".join(lines) + "\n\n\ndef __getattr__(name): ...\n"
    )
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    return Kit(folder)


def test_a_kit_function_brings_what_it_calls_each_once(tmp_path):
    kit = kit_of(
        tmp_path,
        {"outer": "one", "helper": "two"},
        one="import math\nfrom workshop.kit.two import helper\n\n\ndef outer(x):\n    return helper(x) + FACTOR\n\n\n# twice pi\nFACTOR = 2 * math.pi",
        two="import functools\nimport os\n\n\n@functools.cache\ndef helper(x):\n    return helper(x - 1) if x else 0",
    )
    source, defined = kit.source_of(["outer", "helper"])
    assert defined == {"outer", "helper", "FACTOR"}
    assert source.startswith("import functools\nimport math\n\n")
    assert "# twice pi\nFACTOR" in source
    assert "import os" not in source
    assert source.count("def helper") == source.count("@functools.cache") == 1
    space = {}
    exec(source, space)
    assert round(space["outer"](3), 3) == 6.283
    assert kit.source_of(["helper"], already=defined) == ("", set())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("if True:\n    def f(): ...", "holds only imports, functions, classes and named values"),
        ("from .other import f", "no relative imports"),
        ("from workshop.kit.other import g as f", "imports from itself as"),
        ("def f():\n    return __file__", "which a notebook does not have"),
    ],
)
def test_a_kit_function_that_cannot_stand_in_a_notebook_is_refused(tmp_path, source, said):
    with pytest.raises(BuildError, match=said):
        kit_of(tmp_path, {"f": "one"}, one=source).source_of(["f"])


def test_two_kit_functions_of_one_name_are_refused(tmp_path):
    first = "from workshop.kit.two import g\n\n\ndef helper(): ...\n\n\ndef f():\n    return g() + helper()"
    second = "def helper(): ...\n\n\ndef g():\n    return helper()"
    with pytest.raises(BuildError, match="helper is defined in"):
        kit_of(tmp_path, {"f": "one"}, one=first, two=second).source_of(["f"])
