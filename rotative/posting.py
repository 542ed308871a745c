"""`rotative post`: articles from files and folders, each followed until it is live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rotative.client import Client, Failure
from rotative.files import ENDINGS, BadFile, Piece, read_pieces
from rotative.following import Step, follow
from rotative.words import counted

# In a folder.
FILES_MOST = 1000


def post_files(
    client: Client,
    paths: Sequence[Path],
    *,
    timeout_s: float,
    say: Callable[[str], object],
    warn: Callable[[str], object],
) -> tuple[int, int]:
    """Post what is in these files and folders; how many articles went well, and how many failed.

    Raises Failure when nothing answers.
    """
    went_well = failed = 0
    for path in files_of(paths):
        if isinstance(path, str):
            failed += 1
            warn(path)
            continue
        try:
            pieces = read_pieces(path)
        except BadFile as bad:
            failed += 1
            warn(f"{path}: {bad}")
            continue
        for number, piece in enumerate(pieces, 1):
            name = str(path) if len(pieces) == 1 else f"{path} [{number}]"
            try:
                well = _post(client, name, piece, timeout_s, say, warn)
            except Failure as failure:
                if failure.status == 0:
                    raise
                well = False
                warn(f"{name}: {failure}")
            went_well += well
            failed += not well
    return went_well, failed


def files_of(paths: Sequence[Path]) -> Iterator[Path | str]:
    """The files themselves, and those of folders that end as articles do, in order; a sentence where there is none."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            found = sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() in ENDINGS)
        except OSError as error:
            yield f"{path}: the folder cannot be read: {error.strerror}"
            continue
        found = [one for one in found if one.name.lower() not in {"readme.md", "changelog.md", "contributing.md"}]
        if not found:
            endings = ", ".join(sorted(ENDINGS))
            yield f"{path}: the folder holds no article. Those end in {endings}; a README is passed over."
        elif len(found) > FILES_MOST:
            yield (
                f"{path}: the folder holds {counted(len(found), 'file')}; at most {FILES_MOST} are posted one by one. "
                "`rotative import jsonl` brings in more."
            )
        else:
            yield from found


def _post(
    client: Client,
    name: str,
    piece: Piece,
    timeout_s: float,
    say: Callable[[str], object],
    warn: Callable[[str], object],
) -> bool:
    reply, accepted_ms = client.post_ninjs(piece.content) if piece.is_ninjs else client.post(piece.content)
    for warning in reply.get("warnings") or []:
        warn(f"{name}: {warning.get('detail', warning) if isinstance(warning, dict) else warning}")
    if reply["status"] != "live":
        say(f"{name}: {reply['status']}, not on the site ({reply['id']})")
        return True
    say(f"{name}: {reply['url']}\n  answered after {accepted_ms:.0f} ms")

    def tell(step: Step) -> None:
        say(f"  {step.after_ms:7.0f} ms  {step.text}")

    journey = follow(client, reply, accepted_ms, timeout_s=timeout_s, tell=tell)
    if journey.live_ms is None:
        warn(f"{name}: not live after {timeout_s:g} s; `rotative status` and `rotative dead list` may say why.")
        return False
    say(f"  live after {journey.live_ms:.0f} ms")
    return True


def summary(went_well: int, failed: int) -> str | None:
    """What to say at the end when something failed."""
    return f"{failed} of {counted(went_well + failed, 'article')} failed." if failed else None
