"""Run as a process of its own: tries answers to exercises on what the setup cells of a lesson define.

It reads one JSON object from standard input, {"setup": [source, ...], "trials": [{"answer", "check", "path"}, ...],
"patience": how many times longer than the first answer to the same exercise another may take, or null}, and writes a
line of JSON for each trial:
{"said": what the check printed, "changed": [names of setup that the answer changed], "seconds": how long it took}.
Before them it writes {"ready": true}, or {"error": text} where a setup cell stops.
"""

import contextlib
import copy
import gc
import io
import json
import linecache
import random
import signal
import sys
import time
import traceback
import types
import warnings

import numpy as np

PICTURE_BACKEND = "agg"
LEAST_LIMIT = 10  # seconds: so long may an answer take, however fast the first was


class TooLong(BaseException):
    """Not an Exception, so that no `except` of an answer or of a check holds it."""


def run(source, path, space):
    """Execute a source as a cell of a notebook, so that its lines can be found again."""
    linecache.cache[path] = len(source), None, source.splitlines(keepends=True), path
    exec(compile(source, path, "exec"), space)


class Snapshot:
    """What the setup cells made: to see what an answer changes of it, and to put it back."""

    def __init__(self, space):
        self.space = space
        self.bindings = dict(space)
        self.generators = {}
        self.contents = {}
        for name, value in space.items():
            if name.startswith("_"):
                continue
            if hasattr(value, "bit_generator"):
                self.generators[name] = copy.deepcopy(value.bit_generator.state)
            elif contents(value) is not None:
                self.contents[name] = copy.deepcopy(contents(value))

    def restore(self):
        """Put everything back. Returns the names of what was changed; drawing random numbers does not count."""
        for name in self.space.keys() - self.bindings.keys():
            del self.space[name]
        self.space.update(self.bindings)
        for name, state in self.generators.items():
            self.space[name].bit_generator.state = copy.deepcopy(state)
        changed = []
        for name, kept in self.contents.items():
            value = self.space[name]
            if not same(contents(value), kept):
                changed.append(name)
                put_back(value, copy.deepcopy(kept))
        return changed


def contents(value):
    """What of a value an answer could change in place, or None where that is nothing."""
    keras = sys.modules.get("keras")  # not imported for lessons that do without: it takes seconds
    if isinstance(value, np.ndarray | list | dict | set):
        return value
    if isinstance(value, tuple) and any(contents(part) is not None for part in value):
        return value
    if keras and isinstance(value, keras.Model | keras.layers.Layer | keras.Variable):
        weights = [value] if isinstance(value, keras.Variable) else value.weights
        return [np.array(weight) for weight in weights]
    return None


def same(first, second):
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        if first.dtype == object:
            return first.shape == second.shape and all(map(same, first.flat, second.flat))
        return (
            first.shape == second.shape
            and first.dtype == second.dtype
            and first.tobytes() == second.tobytes()
        )
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, set | str | bytes | int | float | bool | np.generic):
        return first == second or (first != first and second != second)  # NaN equals itself here
    return True  # functions, networks inside lists: not followed


def put_back(value, kept):
    if isinstance(value, np.ndarray):
        value[...] = kept
    elif isinstance(value, list):
        value[:] = kept
    elif isinstance(value, dict | set):
        value.clear()
        value.update(kept)
    elif isinstance(value, tuple):
        for part, kept_part in zip(value, kept, strict=True):
            put_back(part, kept_part)
    elif hasattr(value, "assign"):
        value.assign(kept[0])
    else:
        for weight, number in zip(value.weights, kept, strict=True):
            weight.assign(number)


@contextlib.contextmanager
def at_most(seconds):
    """Raise TooLong in the `with` block after some seconds, where the system has an alarm."""
    if not seconds or not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(*_):
        raise TooLong

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def set_random_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


def attempt(trial, space, seconds):
    """Run one answer and its check. Returns what the check said, or how the answer stopped."""
    said = io.StringIO()
    path = trial["path"]
    with contextlib.redirect_stdout(said):
        try:
            with at_most(seconds):
                with contextlib.redirect_stdout(io.StringIO()):  # what the answer prints is its own
                    run(trial["answer"], f"<answer {path}>", space)
                run(trial["check"], f"<check {path}>", space)
        except TooLong:
            return f"stopped: more than {seconds:.0f} s"
        except Exception as error:
            return f"stopped: {type(error).__name__}: {error}"
        except SystemExit:
            return "stopped: SystemExit"
    return said.getvalue().strip()


def main():
    work = json.load(sys.stdin)
    results, sys.stdout = sys.stdout, sys.stderr

    def tell(**result):
        print(json.dumps(result), file=results, flush=True)

    warnings.simplefilter("ignore")
    import matplotlib

    matplotlib.use(PICTURE_BACKEND)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    space = vars(module)
    from IPython.display import display

    space["display"] = display
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for number, source in enumerate(work["setup"], 1):
                run(source, f"<setup {number}>", space)
    except Exception:
        tell(error=traceback.format_exc())
        return 1
    snapshot = Snapshot(space)
    tell(ready=True)

    import matplotlib.pyplot as plt

    first_took: dict[str, float] = {}  # by exercise
    for trial in work["trials"]:
        limit = None
        if work["patience"] and trial["path"] in first_took:
            limit = max(LEAST_LIMIT, work["patience"] * first_took[trial["path"]])
        set_random_seed(space.get("SEED", 0))
        start = time.perf_counter()
        said = attempt(trial, space, limit)
        took = time.perf_counter() - start
        first_took.setdefault(trial["path"], took)
        plt.close("all")
        acted = space.get("mutant_acted", True)
        tell(said=said, changed=snapshot.restore(), seconds=took, acted=acted)
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
