"""The local workspace as tests and drills use it: people click, submit and type."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stanch.responder.lab.slack.envelope import Delivery
from stanch.responder.lab.slack.fault import Fault
from stanch.responder.lab.slack.method import shown
from stanch.responder.lab.slack.server import Server
from stanch.responder.lab.slack.world import BOT_SCOPES, Call, Channel, Hook, View, Whisper, World
from stanch.scanner.model.secret import SecretValue

Message = dict[str, Any]


class SlackLab:
    """A workspace with one channel, one app and as many people as you name.

    ``base_url``, ``bot_token`` and ``app_token`` are what an app is given. Users and channels are
    ids; ``team`` is the workspace's. Every method may be called from any thread.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world
        self.base_url = f"http://127.0.0.1:{server.port}/api/"
        self.team = server.world.team
        self.bot_token = SecretValue(server.world.bot_token.encode())
        self.app_token = SecretValue(server.world.app_token.encode())
        self.channel = self.add_channel("sec-leaks")

    @classmethod
    @contextmanager
    def start(
        cls,
        *,
        scopes: frozenset[str] = BOT_SCOPES,
        ack_seconds: float = 3.0,
        trigger_seconds: float = 3.0,
    ) -> Iterator[SlackLab]:
        """A running workspace; nothing of it is left after the block."""
        world = World(
            team="T00000LAB",
            bot_token="-".join(("xoxb", secrets.token_hex(12))),
            app_token="-".join(("xapp", secrets.token_hex(12))),
            bot_user="U00000BOT",
            scopes=scopes,
            trigger_seconds=trigger_seconds,
        )
        server = Server(world, deadline=ack_seconds)
        server.start()
        try:
            yield cls(server)
        finally:
            server.stop()

    # -- the place ---------------------------------------------------------------------------

    def add_channel(self, name: str, *, bot_is_member: bool = True) -> str:
        """A new channel; its id."""
        channel = Channel(id=self._world.new_id("C"), name=name, bot_is_member=bot_is_member)
        self._world.channels[channel.id] = channel
        return channel.id

    def add_user(self, name: str) -> str:
        """A new person; their id."""
        user = self._world.new_id("U")
        self._world.users[user] = name
        return user

    def person(self, user: str) -> str:
        """``team/user``: how Stanch names a person of Slack."""
        return f"{self.team}/{user}"

    def fail(self, method: str, *faults: Fault) -> None:
        """The next calls of ``method`` meet these faults, one each."""
        self._world.faults.setdefault(method, []).extend(faults)

    def remove_message(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        posts = self._world.channels[channel].posts
        posts[:] = [m for m in posts if m["ts"] != ts]

    # -- what people see ---------------------------------------------------------------------

    def messages(self, channel: str | None = None) -> list[Message]:
        """The channel's history, oldest first, without what stands in threads."""
        posts = self._world.channels[channel or self.channel].posts
        return [post for post in posts if not post.get("thread_ts")]

    def replies(self, ts: str) -> list[Message]:
        """What was answered below a message, oldest first."""
        posts = self._world.channels[self.channel].posts
        return [post for post in posts if post.get("thread_ts") == ts]

    def ephemerals(self, user: str | None = None) -> list[Whisper]:
        """What was shown to one person only, oldest first."""
        return [w for w in self._world.whispers if user in {None, w.user}]

    def views(self, user: str) -> list[View]:
        """The modals this person has open."""
        return [view for view in self._world.views.values() if view.user == user]

    def calls(self, method: str) -> list[Call]:
        """The requests made to one method."""
        return [call for call in self._world.calls if call.method == method]

    def bodies(self) -> list[bytes]:
        """Every body and frame that the app ever sent, for leak searches."""
        return [call.body for call in self._world.calls] + list(self._server.exchange.frames)

    def deliveries(self) -> list[Delivery]:
        """Every envelope and how it was acknowledged."""
        return list(self._server.exchange.deliveries)

    def connections(self) -> int:
        """How many sockets the app has open."""
        return len(self._server.exchange.sockets)

    def wait(self, seen: Callable[[], Any], *, seconds: float = 10.0) -> Any:
        """The first true answer of ``seen``, asked again after each change."""
        limit = time.monotonic() + seconds
        with self._server.changed:
            while not (found := seen()):
                left = limit - time.monotonic()
                if left <= 0:
                    raise TimeoutError("the local Slack never saw it")
                self._server.changed.wait(min(left, 0.1))
        return found

    # -- what people do ----------------------------------------------------------------------

    def click(
        self, user: str, message: Message, action_id: str, *, team: str | None = None
    ) -> Delivery:
        """Press a button on a message. Fails when the message has no such button."""
        button = next(
            element
            for block in message["blocks"]
            for element in block.get("elements", ())
            if element.get("action_id") == action_id
        )
        return self.press(user, message, button, team=team)

    def press(
        self, user: str, message: Message, button: dict[str, Any], *, team: str | None = None
    ) -> Delivery:
        """Send the click of a button whether or not the message has it (an attacker, a replay)."""
        channel = self._channel_of(message)
        payload = self._who(user, team) | {
            "type": "block_actions",
            "channel": {"id": channel, "name": self._world.channels[channel].name},
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel},
            "message": message,
            "actions": [button | {"block_id": "b", "action_ts": message["ts"]}],
            "trigger_id": self._world.new_trigger(user),
            "response_url": self._hook(channel, user),
        }
        return self._server.call(self._server.exchange.deliver("interactive", payload))

    def submit(self, user: str, view: View, values: dict[str, str]) -> Delivery:
        """Submit a modal. ``values`` maps action ids to typed text or chosen option values."""
        state: dict[str, Any] = {}
        for block in view.content["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                given = values.get(element["action_id"])
                state[block["block_id"]] = {element["action_id"]: _typed(element, given)}
        payload = self._who(user, None) | {
            "type": "view_submission",
            "trigger_id": self._world.new_trigger(user),
            "view": shown(self._world, view) | {"state": {"values": state}},
        }
        return self._server.call(self._submitted(view, payload))

    def close_view(self, view: View) -> None:
        """The person closes a modal."""
        self._world.views.pop(view.id, None)

    def command(self, user: str, text: str, *, command: str = "/leak") -> Delivery:
        """Type a slash command. An answer in the acknowledgement is shown to that person."""
        payload = {
            "command": command,
            "text": text,
            "team_id": self.team,
            "user_id": user,
            "channel_id": self.channel,
            "trigger_id": self._world.new_trigger(user),
            "response_url": self._hook(self.channel, user),
        }
        done = self._server.call(self._server.exchange.deliver("slash_commands", payload))
        if isinstance(done.payload, dict) and done.payload.get("text"):
            said = done.payload
            self._world.whispers.append(
                Whisper(
                    channel=self.channel, user=user, text=said["text"], blocks=said.get("blocks")
                )
            )
        return done

    def refresh_sockets(self) -> None:
        """Ask every connected app to reconnect."""
        self._server.call(self._server.exchange.refresh())

    # -- inside ------------------------------------------------------------------------------

    def _who(self, user: str, team: str | None) -> dict[str, Any]:
        team = team or self.team
        return {
            "team": {"id": team, "domain": "lab"},
            "user": {"id": user, "team_id": team, "username": self._world.users.get(user, "")},
            "api_app_id": "A00000LAB",
        }

    def _hook(self, channel: str, user: str) -> str:
        name = secrets.token_hex(8)
        self._world.hooks[name] = Hook(channel=channel, user=user)
        return f"{self.base_url.removesuffix('api/')}response/{name}"

    def _channel_of(self, message: Message) -> str:
        for channel in self._world.channels.values():
            if any(m["ts"] == message["ts"] for m in channel.posts):
                return channel.id
        return self.channel

    async def _submitted(self, view: View, payload: dict[str, Any]) -> Delivery:
        done = await self._server.exchange.deliver("interactive", payload)
        answer = done.payload
        action = answer.get("response_action") if isinstance(answer, dict) else None
        if not done.acked:
            return done
        if action == "update":
            view.content = answer["view"]
            view.hash = secrets.token_hex(6)
        elif action != "errors":
            self.close_view(view)
        return done


def _typed(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    """An input's state: what was typed, or the chosen option."""
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": given}
    chosen = next((o for o in element["options"] if o["value"] == given), None)
    return {"type": element["type"], "selected_option": chosen or element.get("initial_option")}
