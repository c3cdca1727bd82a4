"""Zips of drawings and of three phones' photos, made on the spot -> datasets, a job, a report.

    ktl up                               # in another terminal
    python examples/pictures.py [FOLDER]

Circles, squares and triangles. Every drawing has its label, five photos of each class have one. The
photos are darker, tinted and noisy, of three sizes and two formats; one phone stores them on their
side and says so in EXIF. The zips stay in FOLDER, else in a temporary one.
"""

import io
import math
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from ktl import Client
from PIL import Image, ImageDraw
from service import ended, folder_of, run, spec_of, uploaded

CORNERS = {"circle": 60, "square": 4, "triangle": 3}
EXIF_ORIENTATION, ON_ITS_RIGHT_SIDE = 0x0112, 6
PHONES = (((160, 120), "JPEG"), ((120, 160), "JPEG"), ((128, 128), "PNG"))
DRAWINGS, PHOTOS = 60, 40  # of each class
SIDE = 32  # pixels that networks see


def drawing(shape: str, size: tuple[int, int], seed: int, is_photo: bool) -> Image.Image:
    rng = np.random.default_rng(seed)
    light = rng.integers(40, 110) if is_photo else 255
    picture = Image.new("RGB", size, (light, light * 9 // 10, light * 7 // 10))
    radius = min(size) * rng.uniform(0.22, 0.36)
    x, y = (rng.uniform(radius, side - radius) for side in size)
    turn, corners = rng.uniform(0, math.tau), CORNERS[shape]
    angles = [turn + math.tau * corner / corners for corner in range(corners)]
    points = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    colour = tuple(rng.integers(110, 230, 3).tolist()) if is_photo else (0, 0, 0)
    ImageDraw.Draw(picture).polygon(points, fill=colour)
    if not is_photo:
        return picture
    noisy = np.asarray(picture) + rng.normal(0, 12, (size[1], size[0], 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def photo(shape: str, number: int) -> tuple[str, bytes]:
    """As one of the phones saves it: its name and its bytes."""
    size, kind = PHONES[number % len(PHONES)]
    picture = drawing(shape, size, 1000 * len(shape) + number, is_photo=True)
    exif = Image.Exif()
    if size[1] > size[0]:  # an upright photo is stored lying
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[EXIF_ORIENTATION] = ON_ITS_RIGHT_SIDE
    stream = io.BytesIO()
    picture.save(stream, kind, exif=exif)
    return f"IMG_{number:04}.{'jpg' if kind == 'JPEG' else 'png'}", stream.getvalue()


def make(folder: Path) -> tuple[Path, Path]:
    """Writes drawings.zip and photos.zip."""
    drawings, photos = folder / "drawings.zip", folder / "photos.zip"
    with ZipFile(drawings, "w") as archive:
        for shape in CORNERS:
            for number in range(DRAWINGS):
                stream = io.BytesIO()
                picture = drawing(shape, (64, 64), 1000 * len(shape) + 500 + number, is_photo=False)
                picture.save(stream, "PNG")
                archive.writestr(f"drawings/{shape}/{number}.png", stream.getvalue())
    with ZipFile(photos, "w") as archive:
        for shape in CORNERS:
            for number in range(PHOTOS):
                name, content = photo(shape, number)
                archive.writestr(f"photos/{shape}/{name}", content)
        archive.writestr("photos/.DS_Store", b"what a Mac leaves behind")
    return drawings, photos


def main() -> int:
    folder, spec = folder_of("pictures"), spec_of(__file__)
    with Client() as client:
        ready = [uploaded(client, path, image_size=(SIDE, SIDE)) for path in make(folder)]
        spec["sources"][0]["dataset"], spec["target"]["dataset"] = ready
        job = ended(client, spec)
        if job.status != "succeeded":
            return 1
        report = client.jobs.report(job.id)
        print(f"{report.verdict}: {report.reason}")
    return 0


if __name__ == "__main__":
    run(main)
