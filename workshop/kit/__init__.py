"""Small functions that lessons share. The build copies the ones a lesson imports into its notebook.

A name is imported when it is first asked for: who draws a picture does not wait for TensorFlow.
"""

import ast
import functools
import importlib
import pathlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what the kit offers, in one table: editors read it, the build, and __getattr__
    from workshop.kit.claims import claim as claim
    from workshop.kit.dates import DATE_FORMATS as DATE_FORMATS
    from workshop.kit.dates import make_dates as make_dates
    from workshop.kit.dates import write_date as write_date
    from workshop.kit.digits import enlarge as enlarge
    from workshop.kit.digits import load_digits as load_digits
    from workshop.kit.exercises import feedback as feedback
    from workshop.kit.imagenet import load_mobilenet as load_mobilenet
    from workshop.kit.machine import Machine as Machine
    from workshop.kit.machine import diagnose as diagnose
    from workshop.kit.machine import doctor as doctor
    from workshop.kit.machine import examine_machine as examine_machine
    from workshop.kit.names import LANGUAGES as LANGUAGES
    from workshop.kit.names import load_names as load_names
    from workshop.kit.pictures import COLOURS as COLOURS
    from workshop.kit.pictures import show_images as show_images
    from workshop.kit.pictures import use_course_style as use_course_style
    from workshop.kit.scenes import make_scenes as make_scenes
    from workshop.kit.settings import use_course_settings as use_course_settings
    from workshop.kit.speech import load_spoken_digits as load_spoken_digits
    from workshop.kit.splits import split_three_ways as split_three_ways


@functools.cache
def module_of():
    """The module of each name that the kit offers, read from the table above: {name: module}."""
    tree = ast.parse(pathlib.Path(__file__).read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{__name__}.")
        for alias in node.names
    }


def __getattr__(name):
    if name not in module_of():
        raise AttributeError(f"the kit has no {name}")
    return getattr(importlib.import_module(module_of()[name]), name)
