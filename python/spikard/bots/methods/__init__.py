"""Methods of the API, by what they are about. `Bot` is all of them.

- `messages`, `files`: sending, changing, fetching
- `chats`, `members`: groups, channels and who is in them
- `threads`: threads under messages
- `people`: profiles
"""
