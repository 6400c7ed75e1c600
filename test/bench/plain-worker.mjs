/**
 * LiveKit's JavaScript worker, `plain-worker.mjs start <agent file>`: it reports no load, as the
 * server gives a worker of more than 70 % none of the rooms, and never asks again. IDLE_PROCESSES: how
 * many, instead of what is its default.
 */
import process from 'node:process';
import { cli, ServerOptions } from '@livekit/agents';

const [agent] = process.argv.splice(3, 1);
const idle = process.env['IDLE_PROCESSES'];
const loadFunc = () => Promise.resolve(0);
const more = idle ? { numIdleProcesses: Number(idle) } : {};
cli.runApp(new ServerOptions({ agent, loadFunc, ...more }));
