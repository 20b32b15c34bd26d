"""What a person orders to be done with one conversation names it, and says something."""

from __future__ import annotations

from include.errors import ConfigurationError
from include.lake.whereabouts import check_conversation_id

WORDS_MAX = 1000


def check_order(conversation_id: str, **words: str) -> None:
    """Refuse an order whose id is none, or one of whose words is empty or endless.

    Raises:
        ConfigurationError: at the first such; the message names the option of the command.
    """
    check_conversation_id(conversation_id)
    for name, said in words.items():
        if not 1 <= len(said.strip()) <= WORDS_MAX:
            raise ConfigurationError(f"{name.upper()} must say something, in at most {WORDS_MAX} characters")
