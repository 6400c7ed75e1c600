/** An image registry in small, on loopback, where engines ask for no TLS: it has one image. */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ImageRegistry extends AsyncDisposable {
  /** The reference of the image that it has. */
  readonly image: string;
  /** A reference of an image that it does not have. */
  readonly missing: string;
  /** How often the layer was fetched. */
  layersSent(): number;
  /** Lets the layer go; until then its fetch waits. */
  release(): void;
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const sha256 = (data: Buffer) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** An empty file system: enough to pull and to look at, not to run. */
export async function imageRegistry(): Promise<ImageRegistry> {
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/none'], User: '10001' },
      rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
    }),
  );
  const part = (mediaType: string, data: Buffer) => ({
    mediaType: `application/vnd.docker.${mediaType}`,
    size: data.length,
    digest: sha256(data),
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: part('container.image.v1+json', config),
      layers: [part('image.rootfs.diff.tar', layer)],
    }),
  );
  let sent = 0;
  const gate = new EventEmitter();
  const released = once(gate, 'open');
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const answer = (data: Buffer, type = 'application/octet-stream') => {
      const headers = { 'content-type': type, 'docker-content-digest': sha256(data) };
      response.writeHead(200, { ...headers, 'content-length': data.length });
      response.end(request.method === 'HEAD' ? undefined : data);
    };
    if (path === '/v2/') answer(Buffer.from('{}'), 'application/json');
    else if (path.startsWith('/v2/here/manifests/')) answer(manifest, MANIFEST);
    else if (path.endsWith(sha256(config))) answer(config);
    else if (path.endsWith(sha256(layer))) {
      sent += 1;
      void released.then(() => answer(layer));
    } else {
      const error = { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail: path };
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [error] }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    image: `127.0.0.1:${port}/here:1`,
    missing: `127.0.0.1:${port}/nowhere:1`,
    layersSent: () => sent,
    release: () => void gate.emit('open'),
    async [Symbol.asyncDispose]() {
      gate.emit('open');
      server.close();
      server.closeAllConnections();
    },
  };
}
