"""The spoken digits: from the cache, in any folder of the archive, or a clear message, quickly."""

import io
import shutil
import time
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from workshop.kit import load_spoken_digits, speech

FILLED_CACHE = Path(__file__).parents[3] / "shared/datasets/keras"


def recording(samples, rate=8000):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return data.getvalue()


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Where the archive would lie in an empty cache, for three recordings."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(speech, "SPOKEN_DIGITS_COUNT", 3)
    path = tmp_path / "datasets" / speech.SPOKEN_DIGITS
    path.parent.mkdir()
    return path


def fill(path, names, rate=8000):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/README.md", "not a recording")
        for number, name in enumerate(names):
            archive.writestr(name, recording([number, -32768], rate))


@pytest.mark.parametrize("folder", ["", "free-spoken-digit-dataset-1.0.10/recordings/", "a/7/"])
def test_recordings_are_found_in_any_folder_and_sorted(stored, folder):
    fill(stored, [f"{folder}{name}.wav" for name in ("7_theo_10", "7_theo_9", "0_lucas_1")])
    waves, labels, speakers = load_spoken_digits()
    assert labels.tolist() == [0, 7, 7]
    assert speakers.tolist() == ["lucas", "theo", "theo"]
    assert [wave[0] * 32768 for wave in waves] == [2, 1, 0]
    assert waves[0].dtype == "float32"
    assert waves[0][1] == -1


def test_without_cache_and_network_the_message_comes_quickly_and_nothing_is_left(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    start = time.perf_counter()
    with pytest.raises(RuntimeError, match=r"there is no network.*data/prefetch\.py"):
        load_spoken_digits()
    assert time.perf_counter() - start < 10
    assert list(tmp_path.iterdir()) == []


def test_a_failing_download_is_explained(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise Exception("URL fetch failure")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(speech, "network_answers", lambda _: True)
    monkeypatch.setattr(speech.keras.utils, "get_file", fail)
    with pytest.raises(RuntimeError, match=r"could not be loaded \(URL fetch failure"):
        load_spoken_digits()


def test_a_damaged_or_incomplete_file_is_named(stored):
    stored.write_bytes(b"half a download")
    with pytest.raises(RuntimeError, match=r"free_spoken_digits.zip is damaged .*delete it"):
        load_spoken_digits()
    fill(stored, ["1_theo_1.wav"])
    with pytest.raises(RuntimeError, match="1 recordings of 3"):
        load_spoken_digits()
    fill(stored, [f"1_theo_{number}.wav" for number in range(3)], rate=16000)
    with pytest.raises(RuntimeError, match=r"\(1, 2, 16000\), expected \(1, 2, 8000\)"):
        load_spoken_digits()
    assert stored.is_file()


@pytest.mark.skipif(not FILLED_CACHE.is_dir(), reason="no filled Keras cache beside the course")
def test_the_recordings_come_from_the_cache_without_network(tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    shutil.copy(FILLED_CACHE / "datasets" / speech.SPOKEN_DIGITS, tmp_path / "datasets")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    waves, labels, speakers = load_spoken_digits()
    assert len(waves) == 3000
    assert np.bincount(labels).tolist() == 10 * [300]
    assert np.unique(speakers, return_counts=True)[1].tolist() == 6 * [500]
    assert all(0.1 < len(wave) / 8000 < 2.5 and 0.01 < np.abs(wave).max() <= 1 for wave in waves)
