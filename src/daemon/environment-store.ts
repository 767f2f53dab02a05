import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Home } from '../protocol/index.ts';
import { sessionFolder } from './home.ts';

/** An environment as captured where a session was asked for. */
export interface CapturedEnvironment {
  env: Readonly<Record<string, string>>;
  /** Names whose values look like secrets: kept in memory, never written. */
  secretNames: readonly string[];
}

/**
 * Remembers what each session inherits. Ordinary variables are kept in a private file beside its log so that a restart
 * of the daemon or of the session finds them; secrets live in memory only and are asked for again by a later `resume`.
 */
export class EnvironmentStore {
  readonly #pathOf: (session: string) => string;
  readonly #captured = new Map<string, Record<string, string>>();

  constructor(pathOf: (session: string) => string) {
    this.#pathOf = pathOf;
  }

  /** Adds to what is known of the session; later captures win. Throws what the disk says. */
  capture(session: string, { env, secretNames }: CapturedEnvironment): void {
    const all = { ...this.get(session), ...env };
    this.#captured.set(session, all);
    const secrets = new Set(secretNames);
    const plain = Object.fromEntries(Object.entries(all).filter(([name]) => !secrets.has(name)));
    const path = this.#pathOf(session);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, JSON.stringify(plain), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  get(session: string): Record<string, string> {
    const known = this.#captured.get(session);
    if (known !== undefined) return known;
    try {
      return JSON.parse(readFileSync(this.#pathOf(session), 'utf8')) as Record<string, string>;
    } catch {
      // Never captured, or its file went with a full disk: the session starts with the daemon's own few variables.
      return {};
    }
  }

  /** For a session that never came to be: its folder holds nothing but this. */
  discard(session: string): void {
    this.forget(session);
    rmSync(dirname(this.#pathOf(session)), { recursive: true, force: true });
  }

  forget(session: string): void {
    this.#captured.delete(session);
  }
}

export function createEnvironmentStore(home: Home): EnvironmentStore {
  return new EnvironmentStore((session) => sessionFolder(home, session).env);
}
