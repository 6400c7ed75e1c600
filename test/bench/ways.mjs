/** The ways of serving rooms that are compared, each with a LiveKit server of its own. */
import { WAYS } from './names.mjs';
import { containers, processes } from './launcher-way.mjs';
import { jsWorker, POOL, pythonWorker } from './worker.mjs';

/**
 * How each way is started: by its key in `WAYS`. Our standbys are as many as LiveKit's worker keeps
 * idle processes here; of the others, which fill ten times as much, one.
 */
export function starters(images) {
  const own = { image: images.own, own: true };
  const javascript = { image: images.javascript, own: false };
  const python = { image: images.python, own: false };
  const settings = {
    standbyBridge: { ...own, standby: POOL },
    standbyHost: { ...own, standby: POOL, network: 'host' },
    coldBridge: own,
    coldHost: { ...own, network: 'host' },
    jsStandby: { ...javascript, standby: 1 },
    jsCold: javascript,
    pythonStandby: { ...python, standby: 1 },
    pythonCold: python,
  };
  return {
    jsWorker: (bed) => jsWorker(bed, WAYS.jsWorker),
    pythonWorker: (bed) => pythonWorker(bed, WAYS.pythonWorker),
    ...Object.fromEntries(
      Object.entries(settings).map(([key, set]) => [key, (bed) => containers(bed, WAYS[key], set)]),
    ),
    process: (bed) => processes(bed, WAYS.process),
  };
}
