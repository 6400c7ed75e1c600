/** LiveKit's server API whose calls are noted: each verb, how it went and how long it took. */
import { callMeter, type NoteCall } from '../lib/call-meter.ts';
import type { Clock } from '../lib/clock.ts';
import { LiveKitError } from './errors.ts';
import type { LiveKit } from './rooms.ts';

/** Wraps the calls; `note` hears of each once it is over. */
export function measuredLiveKit(livekit: LiveKit, clock: Clock, note: NoteCall): LiveKit {
  const meter = callMeter({ clock, note, kindOf });
  return {
    listRooms: (signal, name) =>
      meter(name === undefined ? 'list-rooms' : 'look-at-room', () =>
        livekit.listRooms(signal, name),
      ),
    listParticipants: (name, signal) =>
      meter('list-participants', () => livekit.listParticipants(name, signal)),
    roomInfo: (name, signal) => meter('look-at-room', () => livekit.roomInfo(name, signal)),
    dispatchOf: (name, agentName, signal) =>
      meter('list-dispatch', () => livekit.dispatchOf(name, agentName, signal)),
  };
}

function kindOf(error: unknown): string | null {
  return error instanceof LiveKitError ? error.kind : null;
}
