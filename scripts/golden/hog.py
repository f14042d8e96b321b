"""Golden vectors of hog/."""

import numpy as np
from skimage.feature import hog

from golden import lcg, write


def generate() -> None:
    # Few levels put many gradients exactly on 0, 45, 90 and 135 degrees, where bins meet.
    cases = [(40, 33, 9, (8, 8), (2, 2), 256), (40, 33, 9, (8, 8), (2, 2), 3), (30, 30, 4, (6, 6), (2, 2), 3),
             (31, 23, 8, (5, 7), (3, 2), 3), (29, 31, 12, (9, 4), (1, 3), 4), (16, 16, 20, (16, 16), (1, 1), 256),
             (70, 66, 9, (32, 32), (2, 2), 256), (17, 9, 1, (4, 4), (2, 2), 256), (9, 8, 5, (1, 1), (2, 2), 256)]
    for seed, (w, h, bins, cell, block, levels) in enumerate(cases, 700):
        src = lcg(seed, h, w) % levels if levels < 256 else lcg(seed, h, w)
        out = hog(src, bins, cell[::-1], block[::-1], block_norm="L2-Hys")
        name = f"{w}x{h}_b{bins}_c{cell[0]}x{cell[1]}_g{block[0]}x{block[1]}_l{levels}_s{seed}"
        write("hog/hog", name, "skimage.feature.hog", 3e-7, "scikit-image adds up the votes of a cell in f32", width=w, height=h, seed=seed,
              levels=levels, bins=bins, cell=list(cell), block=list(block), out=np.round(out, 10))
