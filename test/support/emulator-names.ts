/**
 * What names do in AWS and not in the emulator. There, a load balancer's name leads to it, and a name
 * of service discovery to where the service's task is. Here, a port of this machine does: for the
 * load balancer it passes on requests, TLS off, with that name as `Host`; for the service it passes on
 * connections to its newest task.
 */
import { createServer, request } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { pipeline } from 'node:stream';

type LeadsTo = () => Promise<{ readonly host: string; readonly port: number }>;

export interface Door extends AsyncDisposable {
  readonly port: number;
}

/** `leadsTo` is asked for each request: the emulator's URL, and the load balancer's name. */
export function balancerDoor(
  host: string,
  leadsTo: () => { readonly emulator: string; readonly dnsName: string },
): Promise<Door> {
  const server = createServer((incoming, answer) => {
    const { emulator, dnsName } = leadsTo();
    const headers = { ...incoming.headers, host: dnsName };
    const options = { method: incoming.method, headers };
    const passed = request(new URL(incoming.url ?? '/', emulator), options, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      pipeline(got, answer, ignored);
    });
    passed.on('error', () => answer.destroy());
    pipeline(incoming, passed, ignored);
  });
  return opened(server, host, () => server.closeAllConnections());
}

/** `leadsTo` is asked for each connection; one that it knows no address for is cut. */
export function serviceDoor(host: string, leadsTo: LeadsTo): Promise<Door> {
  const open = new Set<Socket>();
  const server = createTcpServer((incoming) => {
    open.add(incoming);
    incoming.once('close', () => open.delete(incoming));
    incoming.on('error', ignored);
    void passOn(incoming, leadsTo);
  });
  return opened(server, host, () => {
    for (const socket of open) socket.destroy();
  });
}

async function passOn(incoming: Socket, leadsTo: LeadsTo): Promise<void> {
  try {
    const onwards = connect(await leadsTo());
    pipeline(incoming, onwards, ignored);
    pipeline(onwards, incoming, ignored);
  } catch {
    incoming.destroy();
  }
}

async function opened(server: Server, host: string, cut: () => void): Promise<Door> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** An end that one side sees as an error is the other side's news, too: both are closed. */
function ignored(): void {}
