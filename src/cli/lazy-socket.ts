import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { Emitter } from '../base/index.ts';
import type { Socket } from '../client/index.ts';

/** A WebSocket over the unix socket. What is sent before it is open goes out when it opens. */
export class LazySocket implements Socket {
  readonly #open = new Emitter<void>();
  readonly #message = new Emitter<string | Uint8Array>();
  readonly #closed = new Emitter<void>();
  readonly onOpen = this.#open.event;
  readonly onMessage = this.#message.event;
  readonly onClose = this.#closed.event;
  readonly #unsent: (string | Uint8Array)[] = [];
  #socket: WebSocket | null = null;
  #isClosed = false;

  constructor(socketPath: string, path: string) {
    void this.#connect(socketPath, path);
  }

  send(message: string | Uint8Array): void {
    if (this.#socket?.readyState === 1) this.#socket.send(message);
    else this.#unsent.push(message);
  }

  close(): void {
    if (this.#socket === null) this.#end();
    else this.#socket.terminate();
  }

  async #connect(socketPath: string, path: string): Promise<void> {
    const { WebSocket } = await import('ws');
    if (this.#isClosed) return;
    const socket = new WebSocket(`ws://concert${path}`, {
      createConnection: () => connect(socketPath),
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on('open', () => {
      for (const message of this.#unsent.splice(0)) socket.send(message);
      this.#open.fire();
    });
    socket.on('message', (data, isBinary) => {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
      this.#message.fire(isBinary ? bytes : bytes.toString('utf8'));
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#end());
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed.fire();
  }
}
