import os
import pathlib
import threading
import urllib.request


def keras_cache():
    """The folder in which Keras keeps what it downloads: the one that KERAS_HOME names, else ~/.keras."""
    return pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def network_answers(address, seconds=5):
    """Whether a web address answers within some seconds. Finding a name can hang, so a second thread asks."""
    answers = []

    def ask():
        try:
            request = urllib.request.Request(address, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            answers.append(True)
        except OSError:  # no network, no such name, refused, too slow
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers)
