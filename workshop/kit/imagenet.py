import keras

from workshop.kit.downloads import keras_cache, network_answers

IMAGENET_WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
IMAGENET_ADDRESS = (
    f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{IMAGENET_WEIGHTS}"
)


def load_mobilenet():
    """MobileNetV2, 0.35 of its full width, as learned on ImageNet, without its last layer.

    Returns a Keras model from images (n, 224, 224, 3) to features (n, 1280). Its weights (2 MB) come from Keras's
    cache, or Keras downloads them once. Raises RuntimeError, with what to do, where neither works.
    Source: M. Sandler et al. (2018), arXiv:1801.04381.
    """
    stored = keras_cache() / "models" / IMAGENET_WEIGHTS
    if not stored.is_file() and not network_answers(IMAGENET_ADDRESS):
        raise RuntimeError(
            "The ImageNet weights are not in Keras's cache, and there is no network to load them from. "
            "Connect and run this cell again: Keras downloads 2 MB, once. "
            "For machines that stay offline, run data/prefetch.py of the course on one that is connected."
        )
    try:
        return keras.applications.MobileNetV2(
            alpha=0.35,
            include_top=False,
            pooling="avg",
            input_shape=(224, 224, 3),
            weights=str(stored) if stored.is_file() else "imagenet",
        )
    except Exception as error:  # Keras raises many kinds here, a bare Exception among them
        raise RuntimeError(
            f"The ImageNet weights could not be loaded ({error}). "
            f"If the file {stored} is there, it is damaged: delete it, connect, and run this cell again."
        ) from error
