import { createServer } from 'node:net';

/** A free loopback port for each name. Nothing holds them afterwards: a program that is quick may still take one. */
export async function freePorts(names: readonly string[]): Promise<Record<string, number>> {
  const servers = await Promise.all(names.map(listenAnywhere));
  const ports = Object.fromEntries(names.map((name, index) => [name, servers[index]?.port ?? 0]));
  await Promise.all(servers.map(({ close }) => close()));
  return ports;
}

function listenAnywhere(): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({ port, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}
