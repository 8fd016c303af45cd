"""A machine that rounds as a new GPU does: Python imports this module at its start, where this folder is on PYTHONPATH.

From compute capability 8.0 on, GPUs round the inputs of float32 matrix products and convolutions to TF32, 10 bits of
mantissa, unless TensorFlow is told otherwise. Here the CPU does the same as soon as TensorFlow is imported.
"""

import importlib.abc
import importlib.machinery
import runpy
import sys
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[2] / "workshop/tools/offline/sitecustomize.py"))

DROPPED_BITS = 13  # of the 23 of float32's mantissa
ROUNDED = {  # (module, function): the names of its inputs that are rounded, and their places
    ("gen_math_ops", "mat_mul"): {"a": 0, "b": 1},
    ("gen_math_ops", "batch_mat_mul"): {"x": 0, "y": 1},
    ("gen_math_ops", "batch_mat_mul_v2"): {"x": 0, "y": 1},
    ("gen_math_ops", "batch_mat_mul_v3"): {"x": 0, "y": 1},
    ("gen_nn_ops", "conv2d"): {"input": 0, "filter": 1},
    ("gen_nn_ops", "conv2d_backprop_input"): {"filter": 1, "out_backprop": 2},
    ("gen_nn_ops", "conv2d_backprop_filter"): {"input": 0, "out_backprop": 2},
}


def imitate_tf32():
    """Let TensorFlow's products and convolutions round their inputs, while its own switch for TF32 is on."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_math_ops, gen_nn_ops

    def rounded(x):
        x = tf.convert_to_tensor(x)
        if x.dtype.base_dtype != tf.float32:
            return x

        @tf.custom_gradient
        def straight_through(values):
            bits = tf.bitcast(tf.stop_gradient(values), tf.int32) + (1 << (DROPPED_BITS - 1))
            kept = tf.bitwise.bitwise_and(bits, tf.constant(-(1 << DROPPED_BITS), tf.int32))
            return tf.bitcast(kept, tf.float32), lambda gradient: gradient

        return straight_through(x)

    def rounding(function, inputs):
        def replaced(*arguments, **options):
            if tf.config.experimental.tensor_float_32_execution_enabled():
                arguments = list(arguments)
                for name, place in inputs.items():
                    if place < len(arguments):
                        arguments[place] = rounded(arguments[place])
                    elif name in options:
                        options[name] = rounded(options[name])
            return function(*arguments, **options)

        return replaced

    modules = {"gen_math_ops": gen_math_ops, "gen_nn_ops": gen_nn_ops}
    for (module, name), inputs in ROUNDED.items():
        setattr(modules[module], name, rounding(getattr(modules[module], name), inputs))


class AfterTensorFlow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Calls imitate_tf32 when TensorFlow has been imported."""

    def find_spec(self, name, path, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        self.real = importlib.machinery.PathFinder.find_spec(name, path)
        if self.real is None:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin=self.real.origin, is_package=True)
        spec.submodule_search_locations = self.real.submodule_search_locations
        spec.has_location = True
        return spec

    def create_module(self, spec):
        return self.real.loader.create_module(self.real)

    def exec_module(self, module):
        self.real.loader.exec_module(module)
        imitate_tf32()


sys.meta_path.insert(0, AfterTensorFlow())
