import type { Log } from '../../base/index.ts';
import { holderProtocolVersion } from '../../protocol/index.ts';
import { type RegisteredChild, removeRegistration, writeRegistration } from '../holder-registry.ts';
import { startTimeOf } from '../process-identity.ts';
import type { HolderConfig } from './holder-config.ts';

/** The holder's file in the registry folder, kept true as children come and go. */
export class OwnRegistration implements Disposable {
  readonly #config: HolderConfig;
  readonly #log: Log;
  readonly #startedAt: number;
  readonly #startTime = startTimeOf(process.pid);
  readonly #children = new Map<number, RegisteredChild>();

  constructor(config: HolderConfig, startedAt: number, log: Log) {
    this.#config = config;
    this.#startedAt = startedAt;
    this.#log = log;
  }

  started(child: Omit<RegisteredChild, 'startTime'>): void {
    this.#children.set(child.pid, { ...child, startTime: startTimeOf(child.pid) });
    this.write();
  }

  gone(pid: number): void {
    if (this.#children.delete(pid)) this.write();
  }

  /** A full disk leaves the last good file in place; the next change tries again. */
  write(): void {
    const { holder, version, socket, sessionsMax, registryDir } = this.#config;
    try {
      writeRegistration(registryDir, {
        holder,
        pid: process.pid,
        startTime: this.#startTime,
        protocol: holderProtocolVersion,
        version,
        socket,
        sessionsMax,
        startedAt: this.#startedAt,
        children: [...this.#children.values()],
      });
    } catch (error) {
      this.#log.warn('Cannot write the registration', { reason: (error as Error).message });
    }
  }

  [Symbol.dispose](): void {
    removeRegistration(this.#config.registryDir, this.#config.holder);
  }
}
