"""A pack with all its files: what the house reads at the start, and what is only read when it is there."""

from __future__ import annotations

from pathlib import Path

from care.adapters.curves import load_curves
from care.adapters.highs import load_highs
from care.adapters.ladder import load_ladder
from care.adapters.packs import load_pack
from care.model.pack import Pack


def check_whole(folder: Path) -> Pack:
    """Read and check every file of a pack.

    Raises:
        PackError: listing every problem of the first file group that has some, with file and line.
    """
    pack = load_pack(folder)
    load_ladder(folder, pack)
    if (folder / "curves.yml").exists():
        load_curves(folder, pack)
    if (folder / "highs.yml").exists():
        load_highs(folder, pack)
    return pack
