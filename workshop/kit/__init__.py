"""Small functions that lessons share. The build copies the ones a lesson imports into its notebook."""

from workshop.kit.claims import claim
from workshop.kit.dates import DATE_FORMATS, make_dates, write_date
from workshop.kit.digits import enlarge, load_digits
from workshop.kit.doctor import Machine, diagnose, doctor, examine_machine
from workshop.kit.exercises import feedback
from workshop.kit.imagenet import load_mobilenet
from workshop.kit.names import LANGUAGES, load_names
from workshop.kit.pictures import COLOURS, show_images, use_course_style
from workshop.kit.scenes import make_scenes
from workshop.kit.speech import load_spoken_digits
from workshop.kit.splits import split_three_ways
from workshop.kit.versions import check_versions

__all__ = [
    "COLOURS",
    "DATE_FORMATS",
    "LANGUAGES",
    "Machine",
    "check_versions",
    "claim",
    "diagnose",
    "doctor",
    "enlarge",
    "examine_machine",
    "feedback",
    "load_digits",
    "load_mobilenet",
    "load_names",
    "load_spoken_digits",
    "make_dates",
    "make_scenes",
    "show_images",
    "split_three_ways",
    "use_course_style",
    "write_date",
]
