/** LiveKit's server API as an agent's code uses it: with the URL and credential of its task. */
import { AccessToken, RoomServiceClient, type VideoGrant } from 'livekit-server-sdk';
import { isTaskKey } from '../../launcher/driver.ts';
import { taskSecret } from '../../launcher/gateway/credentials.ts';
import type { Secret } from '../../launcher/lib/secret.ts';

export interface TaskApi {
  /** LiveKit's JavaScript client, which speaks JSON. */
  readonly client: RoomServiceClient;
  /** One call by hand, as LiveKit's Python client makes it: protobuf unless `init` says otherwise. */
  call(
    method: string,
    grant: VideoGrant,
    body: Uint8Array | string,
    init?: RequestInit,
  ): Promise<Response>;
}

export interface TaskIdentity {
  /** `http://…` */
  readonly gatewayUrl: string;
  readonly gatewaySecret: Secret;
  readonly deployment: string;
  readonly key: string;
}

/** What the task of this key can do. */
export function taskApi({ gatewayUrl, gatewaySecret, deployment, key }: TaskIdentity): TaskApi {
  if (!isTaskKey(key)) throw new Error(`"${key}" is no task key`);
  const secret = taskSecret(gatewaySecret, deployment, key).reveal();
  return {
    client: new RoomServiceClient(gatewayUrl, key, secret),
    async call(method, grant, body, init = {}) {
      const token = new AccessToken(key, secret, { ttl: 60 });
      token.addGrant(grant);
      const headers = new Headers(init.headers);
      if (!headers.has('authorization')) {
        headers.set('authorization', `Bearer ${await token.toJwt()}`);
      }
      if (!headers.has('content-type')) headers.set('content-type', 'application/protobuf');
      const sent = init.method === 'GET' ? {} : { body: Buffer.from(body) };
      const url = `${gatewayUrl}/twirp/livekit.RoomService/${method}`;
      return fetch(url, { method: 'POST', ...init, headers, ...sent });
    },
  };
}
