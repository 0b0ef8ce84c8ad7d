"""Files both ways: what people send is kept in a directory, and a report is made and sent."""

import csv
import io
import logging
import os
from pathlib import Path

from spikard.bots import Bot, Dispatcher, F, Router, run_sync
from spikard.bots.filters import Command
from spikard.bots.types import InputFile, Message

INBOX = Path(os.environ.get("INBOX", "inbox"))
MEBIBYTE = 1 << 20
router = Router()


@router.message(F.files)
async def keep(message: Message) -> None:
    async with message.typing():
        paths = await message.download_all(INBOX, max_size=20 * MEBIBYTE)
    await message.reply("\n".join(f"{path.name}: {path.stat().st_size} bytes" for path in paths))


@router.message(Command("report"))
async def report(message: Message) -> None:
    # Disks are slow: other people are not to wait for them.
    table = await run_sync(contents, INBOX)
    file = InputFile(table.encode(), filename="report.csv")
    await message.answer_file(file=file, caption="What is in the inbox")


def contents(folder: Path) -> str:
    """A table of the files in a directory."""
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["file", "bytes"])
    rows.writerows([path.name, path.stat().st_size] for path in sorted(folder.glob("*")))
    return table.getvalue()


dp = Dispatcher()
dp.include_router(router)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    dp.run(Bot())
