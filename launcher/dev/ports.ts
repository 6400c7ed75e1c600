/** Free ports of 127.0.0.1, chosen by the system. Another process may take one before it is used. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** `count` different TCP ports that nobody listens on now. */
export async function freeTcpPorts(count: number): Promise<number[]> {
  // All are held until the last is known: one after the other could yield the same port twice.
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  try {
    for (const server of servers) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (address !== null && typeof address === 'object') ports.push(address.port);
    }
  } finally {
    await Promise.all(servers.map((server) => new Promise((closed) => void server.close(closed))));
  }
  return ports;
}

/** Whether `address` is one of this machine's, so that something here can listen at it. */
export async function canListen(address: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, address);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** One UDP port that nobody has bound now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((closed) => void socket.close(closed));
  return port;
}
