/** Workers that dial the gateway, as LiveKit's do, and wait there for a job. */
import { RegisterWorkerRequest } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { WebSocket } from 'ws';
import { taskSecret } from '../../../dist/launcher/gateway/credentials.js';
import { decodeServer, encodeWorker } from '../../../dist/launcher/gateway/wire.js';
import { Secret } from '../../../dist/launcher/lib/secret.js';

const AT_ONCE = 50;

/** Dials for each task; resolves with how long each took until it was registered. */
export async function dialAll({ port, gatewaySecret, deployment, keys }) {
  const tookMs = [];
  const left = keys.values();
  const dialRest = async () => {
    for (const key of left) {
      const secret = taskSecret(new Secret(gatewaySecret), deployment, key).reveal();
      const begun = performance.now();
      await registered(port, key, secret);
      tookMs.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, dialRest));
  return tookMs;
}

async function registered(port, key, secret) {
  const token = new AccessToken(key, secret, { ttl: 60 });
  token.addGrant({ agent: true });
  const headers = { authorization: `Bearer ${await token.toJwt()}` };
  const ws = new WebSocket(`ws://127.0.0.1:${port}/agent`, { headers });
  await new Promise((resolve, reject) => {
    ws.on('error', reject);
    ws.on('close', (code) => reject(new Error(`closed with ${code}`)));
    ws.on('open', () =>
      ws.send(encodeWorker({ case: 'register', value: new RegisterWorkerRequest() })),
    );
    ws.on('message', (data) => {
      if (decodeServer(data)?.case === 'register') resolve();
    });
  });
}
