"""An ordinary LiveKit agent in Python: greets everyone by a chat message, answers chat by
repeating it, and sends each participant's audio back. It needs no AI provider and no keys.

Room Launcher runs it as it is; `python agent.py start` runs it without, as a worker.
"""

import asyncio
import logging

from livekit import rtc
from livekit.agents import JobContext, JobProcess, WorkerOptions, cli

# The topic that LiveKit's chat components read and write.
CHAT_TOPIC = "lk.chat"
SAMPLE_RATE = 48_000
CHANNELS = 1

logger = logging.getLogger("echo-agent")


def prewarm(proc: JobProcess) -> None:
    """Runs once, before there is a room: load models here, so that nobody waits for them."""
    proc.userdata["greeting"] = "Hello, {}! I repeat what you write and what you say."


async def entrypoint(ctx: JobContext) -> None:
    """Runs for the one room of this job, which lasts until the room ends or ctx.shutdown()."""
    room = ctx.room
    tasks: set[asyncio.Task] = set()

    def start(work) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    # Handlers come before connect(), so that nothing is missed that happens in between.
    def on_text(message: rtc.TextStreamReader, identity: str) -> None:
        sender = room.remote_participants.get(identity)
        if sender is not None and is_person(sender):
            start(answer(room, message))

    def on_track(track: rtc.Track, _publication, participant: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO and is_person(participant):
            start(echo_audio(room, track))

    async def greet(_ctx: JobContext, participant: rtc.RemoteParticipant) -> None:
        if is_person(participant):
            name = participant.name or participant.identity
            await say(room, ctx.proc.userdata["greeting"].format(name), participant)

    # Called after the room was left; the job's process ends when this is done.
    async def finish() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        logger.info("the job is over")

    room.register_text_stream_handler(CHAT_TOPIC, on_text)
    room.on("track_subscribed", on_track)
    ctx.add_participant_entrypoint(greet)
    ctx.add_shutdown_callback(finish)
    await ctx.connect()


def is_person(participant: rtc.RemoteParticipant) -> bool:
    """Other agents are not answered: two that echo each other would never stop."""
    return participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


async def answer(room: rtc.Room, message: rtc.TextStreamReader) -> None:
    """Repeats a chat message for everyone to read."""
    try:
        text = await message.read_all()
    except Exception:
        logger.exception("message not read")
        return
    await say(room, f"You said: {text}")


async def say(room: rtc.Room, text: str, to: rtc.RemoteParticipant | None = None) -> None:
    """Sends a chat message to everyone, or to one participant alone."""
    try:
        await room.local_participant.send_text(
            text, topic=CHAT_TOPIC, destination_identities=[to.identity] if to else None
        )
    except Exception:
        logger.exception("message not sent")  # the room may have ended meanwhile


async def echo_audio(room: rtc.Room, track: rtc.Track) -> None:
    """Publishes a track of our own and plays `track` on it, until that one ends."""
    source = rtc.AudioSource(SAMPLE_RATE, CHANNELS)
    heard = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=CHANNELS)
    try:
        publication = await room.local_participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("echo", source),
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE),
        )
        async for event in heard:
            await source.capture_frame(event.frame)
        await room.local_participant.unpublish_track(publication.sid)
    except Exception:
        logger.exception("echo failed")
    finally:
        await heard.aclose()
        await source.aclose()


if __name__ == "__main__":
    cli.run_app(WorkerOptions(entrypoint_fnc=entrypoint, prewarm_fnc=prewarm))
