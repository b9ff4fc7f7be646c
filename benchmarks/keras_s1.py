"""S1 as a Keras program on TensorFlow, for `benchmarks.train --keras`; runs in an interpreter that has TensorFlow.

    python benchmarks/keras_s1.py STEPS BATCH float32|bfloat16

Prints a line when it is ready. For each line that it reads it trains `STEPS` batches of resident random pairs with
`Model.fit`, the optimiser and the L2 penalty included, and prints the seconds that took. Neither loading nor
augmentation nor an evaluation is in it.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

SIDE = 105
CONVOLUTIONS = ((64, 10), (128, 7), (128, 4), (256, 4))
EMBEDDING = 4096
CONVOLUTION_L2, DENSE_L2 = 2e-4, 2e-3
LEARNING_RATE = 5e-5


def network() -> Any:
    """The network of the recipe `koch`, compiled: layers, L2 penalty, Adam and loss."""
    layers, l2 = keras.layers, keras.regularizers.L2
    image = keras.Input((SIDE, SIDE, 1))
    found = image
    for number, (channels, kernel) in enumerate(CONVOLUTIONS, start=1):
        found = layers.Conv2D(channels, kernel, kernel_regularizer=l2(CONVOLUTION_L2))(found)
        found = layers.ReLU()(layers.BatchNormalization()(found))
        if number < len(CONVOLUTIONS):
            found = layers.MaxPooling2D()(found)
    dense = layers.Dense(EMBEDDING, activation="sigmoid", kernel_regularizer=l2(DENSE_L2))
    tower = keras.Model(image, layers.Dropout(0.4)(dense(layers.Flatten()(found))))
    first, second = keras.Input((SIDE, SIDE, 1)), keras.Input((SIDE, SIDE, 1))
    distance = keras.ops.abs(tower(first) - tower(second))
    same = layers.Dense(1, activation="sigmoid", dtype="float32")(distance)
    model = keras.Model([first, second], same)
    model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss="binary_crossentropy")
    return model


def main(steps: int, batch: int, precision: str) -> None:
    if precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    random, pairs = np.random.default_rng(0), steps * batch
    faces = [random.random((pairs, SIDE, SIDE, 1), dtype=np.float32) for _ in range(2)]
    same = (np.arange(pairs) % 2).astype(np.float32)
    model = network()

    def epoch() -> float:
        started = time.perf_counter()
        model.fit(faces, same, batch_size=batch, epochs=1, verbose=0)
        return time.perf_counter() - started

    epoch()  # compiles
    print(f"keras {keras.__version__} on {keras.backend.backend()}, {model.count_params()} weights", flush=True)
    for _ in sys.stdin:
        print(epoch(), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
