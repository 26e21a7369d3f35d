"""Colours by their code points (CICP, ITU-T H.273), as AVIF, HEIC and PNG name them without a profile -> sRGB.

Wide colours as Display P3 and BT.2020, and the high dynamic range of PQ and HLG: 1 is light as white paper gives it
(203 nits, ITU-R BT.2408), and what is brighter is pressed so that the picture's own brightest becomes white. Browsers
do much the same, no two of them quite.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.image.colour import Conversion, by_curves_and_matrix
from hpe.image.resize import RGB

# Both boxes and chunks come before the pixels; profiles and texts in front of them are seldom longer.
_HEAD_BYTES: Final = 1 << 16
# x, y of red, green and blue; white is D65 in all of them
_PRIMARIES: Final = {
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # BT.2020
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}
_SRGB: Final = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_D65: Final = (0.3127, 0.3290)
_GAMMAS: Final = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
_PAPER_NITS: Final = 203.0
# of a picture's px, percent, that may be brighter than what counts as its brightest: sparks and reflections
_SPARKS: Final = 0.1


def code_points(data: bytes, kind: str) -> tuple[int, int]:
    """The bytes of an AVIF, HEIC or PNG -> (primaries, transfer) as its head names them; 2 is for unknown."""
    if kind in ("avif", "heic") and (at := data.find(b"colrnclx", 0, _HEAD_BYTES)) >= 0 and len(data) >= at + 12:
        return int.from_bytes(data[at + 8 : at + 10]), int.from_bytes(data[at + 10 : at + 12])
    if kind == "png" and (at := data.find(b"\0\0\0\4cICP", 8, _HEAD_BYTES)) >= 0 and len(data) >= at + 10:
        return data[at + 8], data[at + 9]
    return 2, 2


@lru_cache(maxsize=16)
def conversion_from(primaries: int, transfer: int) -> Conversion | None:
    """Code points of H.273 -> what makes sRGB of (H, W, 3) uint8 RGB; None if it is as good as sRGB, or unknown."""
    if primaries not in _PRIMARIES and transfer not in (*_GAMMAS, _PQ, _HLG):
        return None
    matrix = np.linalg.inv(_xyz_of(_SRGB)) @ _xyz_of(_PRIMARIES.get(primaries, _SRGB))
    light = _light(transfer)
    if transfer not in (_PQ, _HLG):
        return _same_curve(light, matrix)
    return lambda rgb: _same_curve(_pressed(light, _brightest(rgb)), matrix)(rgb)


def _same_curve(light: NDArray[np.float64], matrix: NDArray[np.float64]) -> Conversion:
    return by_curves_and_matrix(np.stack([light] * 3, axis=-1), matrix)


def _brightest(rgb: RGB) -> int:
    """The value, 0 to 255, that nearly no px is over in any channel."""
    return int(np.percentile(rgb.max(axis=-1), 100 - _SPARKS))


def _xyz_of(primaries: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """x, y of red, green, blue -> (3, 3) light -> XYZ, so that equal parts make white."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    x, y = _D65
    return np.asarray(columns * np.linalg.solve(columns, [x / y, 1.0, (1 - x - y) / y]))


def _light(transfer: int) -> NDArray[np.float64]:
    """(256,) light of the values 0 to 255, 1 for white; over 1 in PQ and HLG."""
    x = np.linspace(0, 1, 256)
    if transfer in _GAMMAS:
        return np.asarray(x ** _GAMMAS[transfer])
    if transfer == _PQ:  # SMPTE ST 2084
        power = x ** (1 / 78.84375)
        linear = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return np.asarray(linear * 10_000 / _PAPER_NITS)
    if transfer == _HLG:  # ITU-R BT.2100, on a screen of 1000 nits
        scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return np.asarray(scene**1.2 * 1000 / _PAPER_NITS)
    return np.asarray(np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4))


def _pressed(light: NDArray[np.float64], brightest: int) -> NDArray[np.float64]:
    """Light -> 0 to 1, the brightest value's to 1 (Reinhard et al. 2002, equation 4); the same if that is 1 or less."""
    white = max(1.0, float(light[brightest]))
    return np.asarray(np.minimum(light * (1 + light / white**2) / (1 + light), 1.0))
