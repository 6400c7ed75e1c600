"""LiveKit's Python worker with the agent of PYTHONPATH, `plain_worker.py start`: it reports no load,
as the server gives a worker of more than 70 % none of the rooms, and never asks again. IDLE_PROCESSES:
how many, instead of what is its default."""

import os

from agent import entrypoint, prewarm
from livekit.agents import WorkerOptions, cli


def no_load() -> float:
    return 0.0


if __name__ == "__main__":
    idle = os.environ.get("IDLE_PROCESSES")
    more = {"num_idle_processes": int(idle)} if idle else {}
    cli.run_app(
        WorkerOptions(
            entrypoint_fnc=entrypoint, prewarm_fnc=prewarm, load_fnc=no_load, **more
        )
    )
