"""Reactions that people put on messages: told to the next answer, answered by nobody."""

from __future__ import annotations

from homarus.channels.telegram.objects import Reaction, ReactionMessage, ReactionType


def message_of_reaction(reaction: Reaction, update_id: int) -> ReactionMessage:
    """Return a reaction as a message of who reacted."""
    return ReactionMessage.model_construct(
        message_id=reaction.message_id,
        date=reaction.date,
        chat=reaction.chat,
        sender=reaction.user,
        sender_chat=reaction.actor_chat,
        text=_text(reaction),
        update_id=update_id,
    )


def _text(reaction: Reaction) -> str:
    before = [_name(each) for each in reaction.old_reaction]
    after = [_name(each) for each in reaction.new_reaction]
    added = [each for each in after if each not in before]
    if added:
        return f"[reacted with {' '.join(added)}]"
    return f"[took {' '.join(each for each in before if each not in after) or 'a reaction'} off]"


def _name(reaction: ReactionType) -> str:
    return reaction.emoji[:16] or "an emoji of their own"
