"""The public names: those that ported bots import, under both paths, and ours."""

import subprocess
import sys
from importlib import import_module
from inspect import ismodule

import pytest

NAMES = {
    "spikard.bots": """Bot Dispatcher Router F BaseMiddleware Scheduler UNSET UNHANDLED SkipHandler CancelHandler
        RateLimiter RedisRateLimiter Retry Dialogue run run_sync sync_to_async BotError APIError VKTeamsAPIError
        VKWorkspaceError ErrorEvent FSMContext MagicFilter MessageHandler""",
    "spikard.bots.types": """Update Chat Contact User ChatMember UserInfo BotInfo Photo ChatInfo Message Part
        MentionPayload ReplyPayload ForwardPayload ReplyMessagePayload FilePayload MessageFormat FormatSpan
        ParentMessage CallbackQuery NewChatMembersEvent LeftChatMembersEvent ChangedChatInfoEvent File APIResponse
        Thread ThreadSubscribers Subscriber Button InputFile filename_from_url""",
    "spikard.bots.enums": "ButtonStyle ChatAction ChatType EventType ParseMode PartType StyleType",
    "spikard.bots.errors": """BotError VKWorkspaceError APIError VKTeamsAPIError InvalidToken NotAllowed
        MethodUnknown NotFound RateLimited NetworkError TLSError ServerError FileDownloadError DecodeError
        HandlerError MissingArgument""",
    "spikard.bots.exceptions": "VKWorkspaceError VKTeamsAPIError",
    "spikard.bots.filters": """BaseFilter Command CommandObject CommandStart StateFilter CallbackData
        CallbackDataFactory ChatTypeFilter SenderFilter MentionFilter MentionMe RegexpFilter
        CallbackDataRegexpFilter RegexpPartsFilter ReplyFilter ForwardFilter FileFilter ImageFilter VideoFilter
        AudioFilter StickerFilter VoiceFilter URLFilter ExceptionTypeFilter ExceptionMessageFilter AdminFilter
        Throttled and_f or_f invert_f""",
    "spikard.bots.filters.base": "BaseFilter",
    "spikard.bots.filters.command": "Command CommandObject",
    "spikard.bots.filters.state": "StateFilter",
    "spikard.bots.filters.callback_data": "CallbackData",
    "spikard.bots.filters.chat_type": "ChatTypeFilter",
    "spikard.bots.filters.regexp": "RegexpFilter",
    "spikard.bots.fsm": """State StatesGroup FSMContext FSMStrategy StorageKey BaseStorage MemoryStorage
        RedisStorage SqliteStorage SqlStorage FSMContextMiddleware""",
    "spikard.bots.fsm.storage.base": "BaseStorage StorageKey",
    "spikard.bots.fsm.storage.memory": "MemoryStorage",
    "spikard.bots.fsm.storage.redis": "RedisStorage",
    "spikard.bots.keyboard": """InlineKeyboardBuilder InlineKeyboardButton Paginator PaginationCB ButtonStyle
        paginator_router""",
    "spikard.bots.utils.keyboard": "InlineKeyboardBuilder",
    "spikard.bots.utils.paginator": "Paginator PaginationCB",
    "spikard.bots.text": """md html split_text Text Bold Italic Underline Strikethrough Code Pre Link Mention Quote
        Raw OrderedList UnorderedList FormatBuilder""",
    "spikard.bots.utils.text": "md html split_text Text Bold",
    "spikard.bots.utils.format_builder": "FormatBuilder",
    "spikard.bots.actions": "ChatActionSender typing_action",
    "spikard.bots.utils.actions": "ChatActionSender typing_action",
    "spikard.bots.utils.sync": "run_sync sync_to_async",
    "spikard.bots.utils.scheduler": "Scheduler",
    "spikard.bots.wire": "encode_params join_ids dump_keyboard dump_format dump_parent_topic",
    "spikard.bots.testing": """BotTester FakeVKTeams make_message make_callback make_update record replay sample""",
}


@pytest.mark.parametrize(("module", "name"), [(m, name) for m, names in NAMES.items() for name in names.split()])
def test_name(module: str, name: str) -> None:
    assert not ismodule(getattr(import_module(module), name))


def test_imports_of_names_as_programs_write_them() -> None:
    program = "\n".join(f"from {module} import {', '.join(names.split())}" for module, names in NAMES.items())
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_lists_of_names_are_true() -> None:
    for module in NAMES:
        loaded = import_module(module)
        assert [name for name in getattr(loaded, "__all__", ()) if not hasattr(loaded, name)] == []
