import io
import re
import wave
import zipfile

import keras
import numpy as np

from workshop.kit.downloads import keras_cache, network_answers

SPOKEN_DIGITS = "free_spoken_digits.zip"
SPOKEN_DIGITS_ADDRESS = (
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip"
)
SPOKEN_DIGITS_COUNT = 3000


def load_spoken_digits():
    """3,000 recordings of the English words zero to nine, each by one of 6 speakers, 50 times a word and speaker.

    Returns waves, a list of n arrays (samples,), float32 in [-1, 1), 8,000 samples a second; labels, (n,) integers 0 to 9;
    and speakers, (n,) names; sorted by label, speaker and number. The archive (16 MB) comes from Keras's cache, or
    Keras downloads it once. Raises RuntimeError, with what to do, where neither works.
    Source: Z. Jackson and others, Free Spoken Digit Dataset 1.0.10, CC BY-SA 4.0; 1.0.8 of 2018 is doi:10.5281/zenodo.1342401.
    """
    stored = keras_cache() / "datasets" / SPOKEN_DIGITS
    if not stored.is_file():
        if not network_answers(SPOKEN_DIGITS_ADDRESS):
            raise RuntimeError(
                "The spoken digits are not in Keras's cache, and there is no network to load them from. "
                "Connect and run this cell again: Keras downloads 16 MB, once. "
                "For machines that stay offline, run data/prefetch.py of the course on one that is connected."
            )
        try:
            stored = keras.utils.get_file(SPOKEN_DIGITS, origin=SPOKEN_DIGITS_ADDRESS)
        except Exception as error:  # Keras raises a bare Exception where the network fails
            raise RuntimeError(
                f"The spoken digits could not be loaded ({error}). Connect and run this cell again."
            ) from error
    try:
        return read_spoken_digits(stored)
    except (zipfile.BadZipFile, wave.Error, EOFError, ValueError) as error:
        raise RuntimeError(
            f"The file {stored} is damaged ({error}): delete it, connect, and run this cell again."
        ) from error


def read_spoken_digits(path):
    """The recordings of a zip archive as load_spoken_digits returns them: all files named like 7_jackson_32.wav."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            match = re.search(r"(?:^|/)(\d)_([a-z]+)_(\d+)\.wav$", name)
            if match:
                found.append((int(match[1]), match[2], int(match[3]), archive.read(name)))
    if len(found) != SPOKEN_DIGITS_COUNT:
        raise ValueError(f"{len(found)} recordings of {SPOKEN_DIGITS_COUNT}")
    labels, speakers, _, files = zip(*sorted(found), strict=True)
    return [wave_of(data) for data in files], np.array(labels), np.array(speakers)


def wave_of(data):
    """The samples of a WAV file with one channel of 16 bits, 8,000 a second: (samples,) float32 in [-1, 1)."""
    with wave.open(io.BytesIO(data)) as recording:
        form = recording.getnchannels(), recording.getsampwidth(), recording.getframerate()
        if form != (1, 2, 8000):
            raise ValueError(f"channels, bytes and rate are {form}, expected (1, 2, 8000)")
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    return samples.astype("float32") / 32768
