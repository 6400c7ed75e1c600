/**
 * The agent's JobContext, with the one method mended that could not work in a task.
 *
 * agents-js deletes a room at its assignment's URL, LiveKit's own, with the key and secret of the
 * environment, which open the launcher's gateway alone. Here the gateway is asked: it passes the
 * call on for the task's own room.
 */
import type { JobContext } from '@livekit/agents';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { AgentsLibrary } from './load-agent.ts';
import { type RunnerLog, thrown } from './log.ts';
import type { Settings } from './start.ts';

export interface ContextTools {
  readonly agents: AgentsLibrary;
  readonly gateway: Pick<Settings, 'gatewayUrl' | 'taskKey' | 'taskSecret'>;
  readonly log: RunnerLog;
}

/** The class of JobContext to use; it extends that of the agent's own copy of agents-js. */
export function jobContextClass({ agents, gateway, log }: ContextTools): typeof JobContext {
  return class GatewayJobContext<T> extends agents.JobContext<T> {
    /** Resolves also when the room could not be deleted, which is logged: as agents-js has it. */
    override async deleteRoom(roomName = this.job.room?.name ?? ''): Promise<void> {
      const { gatewayUrl, taskKey, taskSecret } = gateway;
      try {
        await new RoomServiceClient(gatewayUrl, taskKey, taskSecret).deleteRoom(roomName);
        log.info('room deleted by the agent');
      } catch (error) {
        log.warn('room could not be deleted', thrown(error));
      }
    }
  };
}
