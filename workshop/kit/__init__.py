"""Small functions that lessons share. The build copies the ones a lesson imports into its notebook."""

from workshop.kit.claims import claim
from workshop.kit.digits import enlarge, load_digits
from workshop.kit.exercises import feedback
from workshop.kit.pictures import COLOURS, show_images, use_course_style
from workshop.kit.splits import split_three_ways
from workshop.kit.versions import check_versions

__all__ = [
    "COLOURS",
    "check_versions",
    "claim",
    "enlarge",
    "feedback",
    "load_digits",
    "show_images",
    "split_three_ways",
    "use_course_style",
]
