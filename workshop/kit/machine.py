import dataclasses
import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap

from workshop.kit.downloads import keras_cache

# What pip calls a package: the names under which it may be installed, and the oldest version that serves, if any.
COURSE_PACKAGES = {
    "tensorflow": (("tensorflow", "tensorflow-cpu"), "2.20"),
    "keras": (("keras",), "3.13"),
    "numpy": (("numpy",), None),
    "matplotlib": (("matplotlib",), None),
    "scikit-learn": (("scikit-learn",), None),
    "pillow": (("pillow",), None),
    "statsmodels": (("statsmodels",), None),
    "babel": (("babel",), None),
    "opencv-python-headless": (
        (
            "opencv-python-headless",
            "opencv-python",
            "opencv-contrib-python",
            "opencv-contrib-python-headless",
        ),
        None,
    ),
}
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 13)
FREE_MEMORY_NEEDED = 2.0  # gigabytes: a lesson takes up to 1.5
FREE_DISK_NEEDED = 5.0  # gigabytes: the packages take about 3
ACTIVATE = {"Windows": r"course\Scripts\activate"}  # elsewhere: source course/bin/activate


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the doctor knows of a machine. Make one up to hear what it would say of that one."""

    system: str = "Linux"  # "Linux", "Darwin" (that is macOS) or "Windows"
    processor: str = "x86_64"
    python: tuple = (3, 12)
    on_colab: bool = False
    own_environment: bool = True  # venv or conda
    packages: dict = dataclasses.field(
        default_factory=dict
    )  # name: version, or None where it is missing
    tensorflow_error: str = ""  # why TensorFlow does not start
    tensorflow_gpus: tuple = ()  # the GPUs that TensorFlow can use
    driver_gpus: tuple = ()  # the GPUs that NVIDIA's driver shows
    gpus_hidden: bool = False  # by the variable CUDA_VISIBLE_DEVICES
    backend: str = "tensorflow"
    cores: int = 1
    memory: float | None = None  # gigabytes, as the next two; None where it could not be seen
    free_memory: float | None = None
    free_disk: float | None = None


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong, the command that mends it, and whether it stops lessons."""

    problem: str
    mend: str
    stops_lessons: bool = True


def doctor(machine=None):
    """Print what this machine has, and for everything that is missing the command that mends it.

    machine: another one than this, made up, to hear what the doctor would say of it.
    """
    machine = machine or examine_machine()
    installed = [f"{name} {version}" for name, version in machine.packages.items() if version]
    free = (
        "unknown"
        if machine.free_memory is None
        else f"{machine.free_memory:.1f} of {machine.memory:.1f} GB"
    )
    disk = "unknown" if machine.free_disk is None else f"{machine.free_disk:.0f} GB"
    print(f"Machine    {machine.system} {machine.processor}, {machine.cores} CPU cores")
    print(f"Memory     {free} free; disk: {disk} free")
    print(
        f"Python     {'.'.join(map(str, machine.python))}{', on Google Colab' if machine.on_colab else ''}"
    )
    print(
        textwrap.fill(
            f"Packages   {', '.join(installed) or 'none'}", 88, subsequent_indent=" " * 11
        )
    )
    print(
        f"GPU        {', '.join(machine.tensorflow_gpus) or 'none that TensorFlow can use: it computes on the CPU'}"
    )
    findings = diagnose(machine)
    for finding in findings:
        mark = "✗" if finding.stops_lessons else "!"
        print(textwrap.fill(f"{mark} {finding.problem}", 88, subsequent_indent="  "))
        print(f"    Mend it {finding.mend}")
    if not any(finding.stops_lessons for finding in findings):
        print(f"✓ {'Nothing is missing: every' if not findings else 'Every'} lesson runs here.")


def diagnose(machine):
    """What there is to mend on a machine, the gravest first. Nothing is run or changed."""
    findings = no_tensorflow_possible(machine) or package_findings(machine)
    if machine.tensorflow_error:
        mend = (
            'in a cell: %pip install --force-reinstall "tensorflow>=2.20", then restart the kernel'
        )
        if machine.system == "Windows":
            mend = "in a terminal: winget install Microsoft.VCRedist.2015+.x64, then restart the kernel"
        findings.append(
            Finding(
                f"TensorFlow is installed and does not start ({machine.tensorflow_error}).", mend
            )
        )
    if machine.backend != "tensorflow":
        findings.append(
            Finding(
                f"Keras is set to the backend {machine.backend!r}. The lessons choose TensorFlow for themselves; a program "
                "of yours would not.",
                'at the top of a program: import os; os.environ["KERAS_BACKEND"] = "tensorflow"',
                False,
            )
        )
    return findings + gpu_findings(machine) + room_findings(machine)


def no_tensorflow_possible(machine):
    """Why pip finds no TensorFlow for this machine, or an empty list."""
    if machine.system == "Darwin" and machine.processor == "x86_64":
        problem = "TensorFlow 2.16 was the last for Macs with an Intel processor."
        return [Finding(problem, "on another machine: open https://colab.research.google.com")]
    if machine.system == "Windows" and machine.processor.upper() == "ARM64":
        problem = "TensorFlow has no packages for Windows on ARM processors."
        return [
            Finding(
                problem,
                "with the Linux inside Windows, in a terminal as administrator: wsl --install",
            )
        ]
    if OLDEST_PYTHON <= machine.python[:2] <= NEWEST_PYTHON:
        return []
    mend = (
        "in a terminal: curl -LsSf https://astral.sh/uv/install.sh | sh\n"
        "        then in a new one: uv venv --seed --python 3.12 course"
    )
    if machine.system == "Windows":
        mend = "in a terminal: winget install Python.Python.3.12\n        then: py -3.12 -m venv course"
    if machine.on_colab:
        mend = "in the menu: Runtime > Change runtime type > Runtime version > Latest"
    problem = f"Python {'.'.join(map(str, machine.python))} is outside of 3.11 to 3.13, which this course is made for."
    return [Finding(problem, mend)]


def package_findings(machine):
    """One finding for all packages that are missing or too old, or an empty list."""
    problems, wanted = [], []
    for name, (_, oldest) in COURSE_PACKAGES.items():
        version = machine.packages.get(name)
        if version and (oldest is None or version_numbers(version) >= version_numbers(oldest)):
            continue
        problems.append(
            f"{name} {version} is older than {oldest}" if version else f"{name} is missing"
        )
        extra = (
            "[and-cuda]"
            if name == "tensorflow" and machine.system == "Linux" and machine.driver_gpus
            else ""
        )
        wanted.append(f'"{name}{extra}>={oldest}"' if oldest else name)
    if not problems:
        return []
    mend = f"in a cell: %pip install --upgrade {' '.join(wanted)}\n        then restart the kernel"
    return [Finding(f"{', '.join(problems)}.", mend)]


def gpu_findings(machine):
    """Why TensorFlow does not use an NVIDIA GPU that is there, or an empty list."""
    if machine.tensorflow_gpus or not machine.driver_gpus or not machine.packages.get("tensorflow"):
        return []
    seen = f"The driver shows {', '.join(machine.driver_gpus)}, and TensorFlow cannot use it"
    if machine.gpus_hidden:
        mend = 'in the first cell: import os; os.environ.pop("CUDA_VISIBLE_DEVICES"), then restart the kernel'
        return [Finding(f"{seen}: the variable CUDA_VISIBLE_DEVICES hides it.", mend, False)]
    if machine.system == "Windows":
        mend = (
            "in a terminal as administrator: wsl --install\n"
            '        then in Ubuntu, in an environment: python -m pip install "tensorflow[and-cuda]"'
        )
        return [Finding(f"{seen}: since 2.11 it uses none on Windows itself.", mend, False)]
    mend = 'in a cell: %pip install "tensorflow[and-cuda]", then restart the kernel'
    return [Finding(f"{seen}: NVIDIA's libraries are missing or of other versions.", mend, False)]


def room_findings(machine):
    """What is wrong with the place that the lessons run in: environment, memory, disk."""
    findings = []
    if not machine.own_environment and not machine.on_colab:
        make = "py -m venv course" if machine.system == "Windows" else "python3 -m venv course"
        mend = f"in a terminal: {make}\n        then: {ACTIVATE.get(machine.system, 'source course/bin/activate')}"
        findings.append(
            Finding(
                "This Python is not in an environment of its own: pip may break other programs.",
                mend,
                False,
            )
        )
    if machine.free_memory is None:
        findings.append(
            Finding(
                "Nobody can say how much memory is free.", "in a cell: %pip install psutil", False
            )
        )
    elif machine.free_memory < FREE_MEMORY_NEEDED:
        looks = {"Windows": "tasklist", "Darwin": "top -o mem"}.get(
            machine.system, "ps aux --sort=-rss | head"
        )
        mend = f"in JupyterLab: Kernel > Shut Down All Kernels. Who else takes memory, says a terminal: {looks}"
        if machine.on_colab:
            mend = "in the menu: Runtime > Manage sessions > Terminate other sessions"
        findings.append(
            Finding(
                f"Only {machine.free_memory:.1f} GB of memory are free; a lesson takes up to 1.5.",
                mend,
                False,
            )
        )
    if machine.free_disk is not None and machine.free_disk < FREE_DISK_NEEDED:
        mend = "in a cell: %pip cache purge"
        findings.append(Finding(f"Only {machine.free_disk:.1f} GB of disk are free.", mend, False))
    return findings


def examine_machine():
    """Look at the machine that runs this notebook. It never fails: what cannot be seen is None or empty."""
    packages = {name: installed_version(names) for name, (names, _) in COURSE_PACKAGES.items()}
    backend = keras_backend()
    # TensorFlow brings Keras along, which takes its backend for good: the lesson's own, as in every other lesson.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    tensorflow_gpus, tensorflow_error = gpus_of_tensorflow() if packages["tensorflow"] else ((), "")
    memory, free_memory = gigabytes_of_memory()
    has_affinity = hasattr(os, "sched_getaffinity")
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        python=tuple(sys.version_info[:3]),
        on_colab="COLAB_RELEASE_TAG" in os.environ or "google.colab" in sys.modules,
        own_environment=sys.prefix != sys.base_prefix
        or os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
        packages=packages,
        tensorflow_error=tensorflow_error,
        tensorflow_gpus=tensorflow_gpus,
        driver_gpus=gpus_of_driver(),
        gpus_hidden=os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"),
        backend=backend,
        cores=len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1,
        memory=memory,
        free_memory=free_memory,
        free_disk=gigabytes_of_disk(),
    )


def installed_version(names):
    """The version of the first of these packages that is installed, or None. Nothing is imported."""
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def version_numbers(version):
    """The first two numbers of a version: (2, 21) for "2.21.0rc1"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def gpus_of_tensorflow():
    """The names of the GPUs that TensorFlow can use; and why it does not start, or an empty text."""
    try:
        tensorflow = importlib.import_module("tensorflow")
        devices = tensorflow.config.list_physical_devices("GPU")
        details = [tensorflow.config.experimental.get_device_details(device) for device in devices]
        return tuple(detail.get("device_name", "GPU") for detail in details), ""
    except Exception as error:  # a broken installation fails in many ways
        return (
            (),
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no text'}",
        )


def gpus_of_driver():
    """The names of the GPUs that NVIDIA's driver shows, whether TensorFlow can use them or not."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return (
        tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())
        if not answer.returncode
        else ()
    )


def keras_backend():
    """The backend that Keras will take: from the variable KERAS_BACKEND, else from its settings file."""
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    try:
        settings = (keras_cache() / "keras.json").read_text(encoding="utf-8")
        return json.loads(settings).get("backend", "tensorflow")
    except (OSError, ValueError, RuntimeError, AttributeError):
        return "tensorflow"


def gigabytes_of_memory():
    """Memory of the whole machine and how much of it is free, or (None, None) without psutil."""
    try:
        memory = importlib.import_module("psutil").virtual_memory()
    except (ImportError, OSError):
        return None, None
    return memory.total / 1e9, memory.available / 1e9


def gigabytes_of_disk():
    """Free disk space where this notebook runs, or None."""
    try:
        return shutil.disk_usage(os.getcwd()).free / 1e9
    except OSError:
        return None
