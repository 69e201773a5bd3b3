"""The Web API methods: who may call them, and what they do to the workspace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stanch.responder.lab.slack import limit
from stanch.responder.lab.slack.world import Channel, Refusal, View, Whisper, World

Arguments = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method: what it does, the scope it needs, and whether it takes the app-level token."""

    run: Callable[[World, Arguments], Answer]
    scope: str | None = None
    app_level: bool = False


def answer(world: World, name: str, arguments: Arguments, token: str | None) -> Answer:
    """Run ``name`` as Slack would, with its checks in Slack's order. Never raises Refusal."""
    try:
        return {"ok": True} | _run(world, name, arguments, token)
    except Refusal as refusal:
        return {"ok": False, "error": refusal.error} | refusal.more


def _run(world: World, name: str, arguments: Arguments, token: str | None) -> Answer:
    method = METHODS.get(name)
    if method is None:
        raise Refusal("unknown_method", req_method=name)
    if token is None:
        raise Refusal("not_authed")
    if token not in {world.bot_token, world.app_token}:
        raise Refusal("invalid_auth")
    if method.app_level != (token == world.app_token):
        raise Refusal("not_allowed_token_type")
    if method.scope is not None and method.scope not in world.scopes:
        raise Refusal("missing_scope", needed=method.scope, provided=",".join(sorted(world.scopes)))
    return method.run(world, arguments)


def _auth_test(world: World, arguments: Arguments) -> Answer:
    del arguments
    return {
        "url": "https://lab.invalid/",
        "team": "Lab",
        "team_id": world.team,
        "user": "stanch",
        "user_id": world.bot_user,
        "bot_id": "B" + world.bot_user[1:],
    }


def _blocks(arguments: Arguments) -> Any:
    blocks = arguments.get("blocks")
    if blocks is None:
        return None
    problems = limit.block_problems(blocks, surface="message")
    if problems:
        raise Refusal("invalid_blocks", errors=problems)
    if limit.total_text(blocks) > limit.MESSAGE_TOTAL:
        raise Refusal("msg_blocks_too_long")
    return blocks


def _writable(world: World, arguments: Arguments) -> Channel:
    channel = world.channel(arguments.get("channel"))
    if not channel.bot_is_member:
        raise Refusal("not_in_channel")
    if channel.archived:
        raise Refusal("is_archived")
    return channel


def _text(arguments: Arguments) -> str:
    text = arguments.get("text") or ""
    if not text and not arguments.get("blocks"):
        raise Refusal("no_text")
    return str(text)


def _metadata(arguments: Arguments) -> Any:
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    if len(json.dumps(metadata)) > limit.METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return metadata


def _post(world: World, arguments: Arguments) -> Answer:
    channel = _writable(world, arguments)
    message = {
        "type": "message",
        "user": world.bot_user,
        "ts": world.new_ts(),
        "text": _text(arguments)[: limit.MESSAGE_TEXT],
        "blocks": _blocks(arguments),
        "metadata": _metadata(arguments),
        "unfurl_links": arguments.get("unfurl_links", True),
    }
    above = arguments.get("thread_ts")
    if above is not None:
        if all(post["ts"] != above for post in channel.posts):
            raise Refusal("thread_not_found")
        message |= {"thread_ts": above, "broadcast": _true(arguments, "reply_broadcast")}
    channel.posts.append(message)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _update(world: World, arguments: Arguments) -> Answer:
    channel = _writable(world, arguments)
    text = _text(arguments)
    if len(text) > limit.UPDATE_TEXT:
        raise Refusal("msg_too_long")
    blocks = _blocks(arguments)
    for message in channel.posts:
        if message["ts"] == arguments.get("ts"):
            if message["user"] != world.bot_user:
                raise Refusal("cant_update_message")
            message |= {"text": text, "blocks": blocks, "edited": {"user": world.bot_user}}
            if "metadata" in arguments:
                message["metadata"] = _metadata(arguments)
            return {"channel": channel.id, "ts": message["ts"], "text": text}
    raise Refusal("message_not_found")


def _ephemeral(world: World, arguments: Arguments) -> Answer:
    channel = _writable(world, arguments)
    user = str(arguments.get("user"))
    if user not in world.users:
        raise Refusal("user_not_in_channel")
    text = _text(arguments)
    blocks = _blocks(arguments)
    world.whispers.append(Whisper(channel=channel.id, user=user, text=text, blocks=blocks))
    return {"message_ts": world.new_ts()}


def _history(world: World, arguments: Arguments) -> Answer:
    channel = world.channel(arguments.get("channel"))
    if not channel.bot_is_member:
        raise Refusal("not_in_channel")
    posts = [post for post in channel.posts if "thread_ts" not in post or post["broadcast"]]
    kept = _read(posts[::-1][: int(arguments.get("limit") or 100)], arguments)
    return {"messages": kept, "has_more": len(kept) < len(posts)}


def _replies(world: World, arguments: Arguments) -> Answer:
    channel, above = world.channel(arguments.get("channel")), arguments.get("ts")
    if not channel.bot_is_member:
        raise Refusal("not_in_channel")
    thread = [post for post in channel.posts if above in {post["ts"], post.get("thread_ts")}]
    if not thread:
        raise Refusal("thread_not_found")
    return {"messages": _read(thread, arguments), "has_more": False}


def _read(posts: list[dict[str, Any]], arguments: Arguments) -> list[dict[str, Any]]:
    """Messages as they are read back: their metadata only for who asks for it."""
    wanted = _true(arguments, "include_all_metadata")
    return posts if wanted else [post | {"metadata": None} for post in posts]


def _true(arguments: Arguments, name: str) -> bool:
    return str(arguments.get(name, "")).lower() in {"1", "true"}


def _channel_info(world: World, arguments: Arguments) -> Answer:
    channel = world.channel(arguments.get("channel"))
    facts = {"id": channel.id, "name": channel.name, "is_archived": channel.archived}
    return {"channel": facts | {"is_member": channel.bot_is_member}}


def _user_info(world: World, arguments: Arguments) -> Answer:
    user = arguments.get("user")
    if user not in world.users:
        raise Refusal("user_not_found")
    name = world.users[str(user)]
    return {"user": {"id": user, "team_id": world.team, "name": name, "is_bot": False}}


def _checked_view(arguments: Arguments) -> dict[str, Any]:
    view = arguments.get("view")
    problems = limit.view_problems(view)
    if problems or not isinstance(view, dict):
        raise Refusal("invalid_arguments", response_metadata={"messages": problems})
    if limit.view_too_large(view):
        raise Refusal("view_too_large")
    return view


def _open(world: World, arguments: Arguments) -> Answer:
    content = _checked_view(arguments)
    user = world.take_trigger(arguments.get("trigger_id"))
    view = View(id=world.new_id("V"), user=user, hash=secrets.token_hex(6), content=content)
    world.views[view.id] = view
    return {"view": shown(world, view)}


def _update_view(world: World, arguments: Arguments) -> Answer:
    view = world.views.get(str(arguments.get("view_id")))
    if view is None:
        raise Refusal("not_found")
    content = _checked_view(arguments)
    if arguments.get("hash") not in {None, view.hash}:
        raise Refusal("hash_conflict")
    view.content = content
    view.hash = secrets.token_hex(6)
    return {"view": shown(world, view)}


def _connect(world: World, arguments: Arguments) -> Answer:
    del arguments
    ticket = secrets.token_hex(16)
    world.tickets.add(ticket)
    return {"ticket": ticket}  # the server makes a ws:// address of it


def shown(world: World, view: View) -> dict[str, Any]:
    """A view as Slack sends it: the app's content with id, hash and team."""
    return view.content | {"id": view.id, "hash": view.hash, "team_id": world.team}


METHODS: Mapping[str, Method] = {
    "auth.test": Method(run=_auth_test),
    "apps.connections.open": Method(run=_connect, app_level=True),
    "chat.postMessage": Method(run=_post, scope="chat:write"),
    "chat.update": Method(run=_update, scope="chat:write"),
    "chat.postEphemeral": Method(run=_ephemeral, scope="chat:write"),
    "conversations.history": Method(run=_history, scope="channels:history"),
    "conversations.replies": Method(run=_replies, scope="channels:history"),
    "conversations.info": Method(run=_channel_info, scope="channels:read"),
    "users.info": Method(run=_user_info, scope="users:read"),
    "views.open": Method(run=_open),
    "views.update": Method(run=_update_view),
}
