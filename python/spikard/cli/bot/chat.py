"""Talk with a bot in the terminal: its handlers in this process, no server, no token."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE

if TYPE_CHECKING:
    from spikard.bots.testing.fake_api import FakeMessage
    from spikard.bots.testing.tester import BotTester

USER = "ann@corp.example"
HELP = """What you type is sent to the bot. A line that begins with a colon is for this program:
  :press TEXT    press the button on which TEXT stands (:p)
  :as USER       go on as somebody else
  :file PATH     send a file
  :wait SECONDS  let time pass
  :state         show your state and its data
  :quit          end, as the end of the input does (:q)"""


class Conversation:
    """One who types, and what is shown of the bot's side."""

    def __init__(self, tester: "BotTester", user: str) -> None:
        self._tester = tester
        self._user = tester.user(user)
        self._shown: dict[str, str] = {}
        self._notices = 0

    async def take(self, line: str) -> bool:
        """Does what a line says; whether to go on."""
        if not line.startswith(":"):
            await self._tried(self._user.send(line))
            return True
        word, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        if word in {"quit", "q"}:
            return False
        if word in {"press", "p"}:
            address = await self._tried(self._user.click(rest))
            if isinstance(address, str) and address.startswith(("http:", "https:")):
                print(f"  (opens {address})")
        elif word == "as" and rest:
            self._user = self._tester.user(rest)
            self._notices = len(self._user.notices)
        elif word == "file" and rest:
            path = Path(rest)
            content = await asyncio.to_thread(_content, path)
            if content is not None:
                await self._tried(self._user.send_file(content, path.name))
        elif word == "wait" and rest.replace(".", "", 1).isdigit():
            await self._tester.clock.advance(float(rest))
            self._tell()
        elif word == "state":
            state = self._tester.state(self._user)
            print(f"  {await state.get_state()} {await state.get_data()}")
        else:
            print(HELP)
        return True

    async def _tried(self, doing: object) -> object:
        """What comes of an action; a fault of the handler is told in one line."""
        found: object = None
        try:
            found = await doing  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - whatever the handler raises
            print(f"  ! {type(error).__name__}: {error}")
        self._tell()
        return found

    def _tell(self) -> None:
        for message in self._user.messages:
            text = _written(message)
            before = self._shown.get(message.msg_id)
            if before != text:
                print(text if before is None else f"(edited) {text}")
                self._shown[message.msg_id] = text
        for notice in self._user.notices[self._notices :]:
            print(f"  [{notice.text or notice.url}]")
        self._notices = len(self._user.notices)
        sys.stdout.flush()


def run(arguments: list[str]) -> int:
    """Talk until the end of the input."""
    parser = options.command_parser(
        "chat", "Talk with a bot in the terminal: its handlers in this process, without a server and without a token."
    )
    options.add_dispatcher(parser)
    parser.add_argument("--as", dest="user", metavar="USER", default=USER, help=f"who you are ({USER})")
    return asyncio.run(_talked(parser.parse_args(arguments)))


async def _talked(given: argparse.Namespace) -> int:
    from spikard.bots.testing.tester import BotTester

    asks = sys.stdin.isatty()
    async with BotTester(options.dispatcher(given)) as tester:
        conversation = Conversation(tester, given.user)
        if asks:
            print(":help tells what else there is.")
        while True:
            if asks:
                print("> ", end="", flush=True)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line or not await conversation.take(line.rstrip("\n")):
                return EXIT_DONE


def _written(message: "FakeMessage") -> str:
    """A message as lines of text: its file, its text, its buttons."""
    lines = [f"<{message.file.filename}>"] if message.file is not None else []
    lines += [message.text or message.caption or ""]
    lines += ["  " + " ".join(f"[{text}]" for text in row) for row in message.buttons]
    return "\n".join(line for line in lines if line)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        print(f"  ! {path} cannot be read: {error.strerror}")
        return None
