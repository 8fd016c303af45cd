"""The doctor on machines that are made up, and its eyes on a machine that is faked."""

import collections
import dataclasses
import importlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import types

import pytest

from workshop.kit import doctor as doctor_function
from workshop.kit.machine import (
    COURSE_PACKAGES,
    Machine,
    diagnose,
    examine_machine,
    gigabytes_of_memory,
    gpus_of_driver,
    gpus_of_tensorflow,
    keras_backend,
)

ALL_PACKAGES = {name: oldest or "1.0" for name, (_, oldest) in COURSE_PACKAGES.items()}
HEALTHY = Machine(packages=ALL_PACKAGES, cores=4, memory=16.0, free_memory=8.0, free_disk=50.0)
NVIDIA = ("NVIDIA T4",)


def changed(**changes):
    return dataclasses.replace(HEALTHY, **changes)


@pytest.mark.parametrize(
    "healthy",
    [
        HEALTHY,
        changed(tensorflow_gpus=NVIDIA, driver_gpus=NVIDIA),
        changed(system="Darwin", processor="arm64"),
        changed(system="Windows", processor="AMD64"),
        changed(processor="aarch64"),
        changed(on_colab=True, own_environment=False, tensorflow_gpus=NVIDIA, driver_gpus=NVIDIA),
        changed(python=(3, 11, 0)),
        changed(python=(3, 13, 9)),
        changed(free_disk=None),
    ],
)
def test_healthy_machines_have_no_findings(healthy, capsys):
    assert diagnose(healthy) == []
    doctor_function(healthy)
    printed = capsys.readouterr().out
    assert "✓ Nothing is missing: every lesson runs here." in printed
    assert "✗" not in printed


@pytest.mark.parametrize(
    ("sick", "problem", "mend", "stops_lessons"),
    [
        (changed(packages=ALL_PACKAGES | {"keras": "3.12.1"}), "keras 3.12.1 is older", '%pip install --upgrade "keras>=3.13"', True),
        (changed(packages=ALL_PACKAGES | {"tensorflow": "2.9.3"}), "tensorflow 2.9.3 is older", '"tensorflow>=2.20"', True),
        (changed(packages=ALL_PACKAGES | {"pillow": None}), "pillow is missing", "%pip install --upgrade pillow\n", True),
        (changed(packages=ALL_PACKAGES | {"tensorflow": None}, driver_gpus=NVIDIA), "tensorflow is missing", '"tensorflow[and-cuda]>=2.20"', True),
        (changed(packages=ALL_PACKAGES | {"tensorflow": None}, driver_gpus=NVIDIA, system="Windows"), "tensorflow is missing", '"tensorflow>=2.20"', True),
        (changed(python=(3, 14, 0)), "Python 3.14.0", "uv venv --seed --python 3.12", True),
        (changed(python=(3, 10, 2), system="Windows"), "Python 3.10.2", "winget install Python.Python.3.12", True),
        (changed(python=(3, 14, 0), on_colab=True), "Python 3.14.0", "Change runtime type", True),
        (changed(system="Darwin", processor="x86_64"), "Intel", "https://colab.research.google.com", True),
        (changed(system="Windows", processor="ARM64"), "ARM", "wsl --install", True),
        (changed(backend="jax"), "'jax'", 'os.environ["KERAS_BACKEND"] = "tensorflow"', False),
        (changed(tensorflow_error="ImportError: DLL load failed", system="Windows"), "DLL load failed", "winget install Microsoft.VCRedist", True),
        (changed(tensorflow_error="ImportError: libfoo"), "libfoo", "%pip install --force-reinstall", True),
        (changed(driver_gpus=NVIDIA), "cannot use it", '%pip install "tensorflow[and-cuda]"', False),
        (changed(driver_gpus=NVIDIA, system="Windows"), "cannot use it", "wsl --install", False),
        (changed(driver_gpus=NVIDIA, gpus_hidden=True), "CUDA_VISIBLE_DEVICES", 'os.environ.pop("CUDA_VISIBLE_DEVICES")', False),
        (changed(own_environment=False), "environment of its own", "source course/bin/activate", False),
        (changed(own_environment=False, system="Windows"), "environment of its own", r"course\Scripts\activate", False),
        (changed(free_memory=1.2), "1.2 GB of memory", "ps aux", False),
        (changed(free_memory=1.2, system="Darwin", processor="arm64"), "1.2 GB of memory", "top -o mem", False),
        (changed(free_memory=1.2, system="Windows"), "1.2 GB of memory", "tasklist", False),
        (changed(free_memory=1.2, on_colab=True), "1.2 GB of memory", "Manage sessions", False),
        (changed(free_memory=None, memory=None), "memory is free", "%pip install psutil", False),
        (changed(free_disk=0.5), "0.5 GB of disk", "%pip cache purge", False),
    ],
)  # fmt: skip
def test_each_fault_is_found_alone_and_names_its_command(
    sick, problem, mend, stops_lessons, capsys
):
    (finding,) = diagnose(sick)
    assert problem in finding.problem
    assert mend in finding.mend + "\n"
    assert finding.stops_lessons is stops_lessons
    doctor_function(sick)
    printed = capsys.readouterr().out
    assert f"{'✗' if stops_lessons else '!'} {finding.problem}" in " ".join(printed.split())
    assert finding.mend in printed
    assert ("lesson runs here" in printed) is not stops_lessons


def test_several_faults_come_together_the_gravest_first():
    findings = diagnose(changed(packages={}, own_environment=False, free_memory=0.5, free_disk=0.5))
    assert [finding.stops_lessons for finding in findings] == [True, False, False, False]
    assert all(f"{name} is missing" in findings[0].problem for name in COURSE_PACKAGES)


@pytest.fixture
def faked_machine(monkeypatch, tmp_path):
    """A Windows laptop seen through the doctor's eyes; a test changes what it needs."""
    for variable in ("COLAB_RELEASE_TAG", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(sys, "version_info", (3, 13, 1, "final", 0))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    disk = collections.namedtuple("Disk", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk(2e11, 1e11, 1e11))
    installed = {"tensorflow": "2.21.0", "keras": "3.15.1", "opencv-python": "5.0.0.93"}

    def version(name):
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    memory = types.SimpleNamespace(
        virtual_memory=lambda: types.SimpleNamespace(total=16e9, available=7e9)
    )
    modules = {"tensorflow": faked_tensorflow(), "psutil": memory}
    really_import = importlib.import_module

    def import_module(name):
        if modules.get(name, name) is None:
            raise ImportError(f"No module named {name!r}")
        return modules.get(name) or really_import(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(subprocess, "run", nvidia_smi("NVIDIA GeForce RTX 4070\n"))
    return types.SimpleNamespace(installed=installed, modules=modules, folder=tmp_path)


def faked_tensorflow(*gpus):
    experimental = types.SimpleNamespace(get_device_details=lambda device: device)
    devices = [{"device_name": name} if name else {} for name in gpus]
    config = types.SimpleNamespace(
        list_physical_devices=lambda kind: devices, experimental=experimental
    )
    return types.SimpleNamespace(config=config)


def nvidia_smi(answer, code=0):
    return lambda command, **_: subprocess.CompletedProcess(command, code, stdout=answer, stderr="")


def test_a_windows_laptop_is_seen_as_it_is(faked_machine):
    machine = examine_machine()
    assert (machine.system, machine.processor, machine.python) == ("Windows", "AMD64", (3, 13, 1))
    assert (machine.cores, machine.memory, machine.free_memory, machine.free_disk) == (
        12,
        16.0,
        7.0,
        100.0,
    )
    assert machine.packages["tensorflow"] == "2.21.0"
    assert machine.packages["opencv-python-headless"] == "5.0.0.93", (
        "another build of OpenCV serves as well"
    )
    assert machine.packages["numpy"] is None
    assert (machine.tensorflow_gpus, machine.driver_gpus) == ((), ("NVIDIA GeForce RTX 4070",))
    assert (machine.backend, machine.gpus_hidden, machine.on_colab) == ("tensorflow", False, False)
    assert [finding.stops_lessons for finding in diagnose(machine)] == [True, False]


def test_colab_with_a_gpu(faked_machine, monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    faked_machine.installed.update(dict.fromkeys(COURSE_PACKAGES, "9.9"))
    faked_machine.modules["tensorflow"] = faked_tensorflow("Tesla T4")
    monkeypatch.setattr(subprocess, "run", nvidia_smi("Tesla T4\n"))
    machine = examine_machine()
    assert machine.on_colab
    assert machine.tensorflow_gpus == ("Tesla T4",)
    assert diagnose(machine) == []


def test_a_machine_without_anything_is_examined_all_the_same(faked_machine, monkeypatch):
    def fail(*_, **__):
        raise OSError("not here")

    faked_machine.installed.clear()
    faked_machine.modules["psutil"] = None
    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(shutil, "disk_usage", fail)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    machine = examine_machine()
    assert set(machine.packages.values()) == {None}
    assert (machine.cores, machine.memory, machine.free_memory, machine.free_disk) == (
        1,
        None,
        None,
        None,
    )
    assert (machine.tensorflow_gpus, machine.driver_gpus, machine.tensorflow_error) == ((), (), "")
    assert diagnose(machine)


def test_a_tensorflow_that_does_not_start(faked_machine):
    faked_machine.modules["tensorflow"] = None
    gpus, error = gpus_of_tensorflow()
    assert gpus == ()
    assert error == "ImportError: No module named 'tensorflow'"


def test_a_gpu_without_a_name(faked_machine):
    faked_machine.modules["tensorflow"] = faked_tensorflow("Tesla T4", "")
    assert gpus_of_tensorflow() == (("Tesla T4", "GPU"), "")


@pytest.mark.parametrize(
    ("answer", "code", "gpus"),
    [
        ("Tesla T4\nTesla T4\n", 0, ("Tesla T4", "Tesla T4")),
        ("no devices were found\n", 6, ()),
        ("", 0, ()),
    ],
)
def test_what_the_driver_shows(monkeypatch, answer, code, gpus):
    monkeypatch.setattr(subprocess, "run", nvidia_smi(answer, code))
    assert gpus_of_driver() == gpus


def test_a_driver_that_hangs(monkeypatch):
    def hang(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert gpus_of_driver() == ()


@pytest.mark.parametrize("value", ["", "-1"])
def test_hidden_gpus(faked_machine, monkeypatch, value):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert examine_machine().gpus_hidden


def test_the_backend_of_keras(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert keras_backend() == "tensorflow"
    settings = tmp_path / "keras.json"
    settings.write_text('{"backend": "torch"}')
    assert keras_backend() == "torch"
    for broken in ("{", "[]", "{}"):
        settings.write_text(broken)
        assert keras_backend() == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert keras_backend() == "jax"


def test_memory_is_not_invented(faked_machine):
    faked_machine.modules["psutil"] = None
    assert gigabytes_of_memory() == (None, None)


def test_this_machine_can_be_examined(capsys):
    doctor_function()
    printed = capsys.readouterr().out
    assert f"Python     {platform.python_version()}" in printed
    assert f"keras {importlib.metadata.version('keras')}" in printed
