import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';

/** What a holder says about itself in the registry folder, so that a daemon finds it and knows what it had. */
export interface HolderRegistration extends ProcessIdentity {
  holder: string;
  protocol: number;
  version: string;
  socket: string;
  sessionsMax: number;
  startedAt: number;
  /** The living ones: what a daemon has to look after when the holder dies. */
  children: RegisteredChild[];
}

export interface RegisteredChild extends ProcessIdentity {
  session: string;
  incarnation: number;
  name: string;
  logDir: string;
}

/** Replaces the file whole, so that a reader never sees half of it. */
export function writeRegistration(folder: string, registration: HolderRegistration): void {
  const path = registrationPath(folder, registration.holder);
  writeFileSync(`${path}.new`, `${JSON.stringify(registration)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeRegistration(folder: string, holder: string): void {
  rmSync(registrationPath(folder, holder), { force: true });
}

/** Every holder that registered, living or not, and the files that are no registration. An absent folder is empty. */
export function readRegistrations(folder: string): { registrations: HolderRegistration[]; unreadable: string[] } {
  const registrations: HolderRegistration[] = [];
  const unreadable: string[] = [];
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.json')) continue;
    const registration = parseRegistration(join(folder, name));
    if (registration !== null && `${registration.holder}.json` === name) registrations.push(registration);
    else unreadable.push(join(folder, name));
  }
  return { registrations, unreadable };
}

function registrationPath(folder: string, holder: string): string {
  return join(folder, `${holder}.json`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseRegistration(path: string): HolderRegistration | null {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<HolderRegistration>;
    const isWhole =
      typeof value.holder === 'string' &&
      Number.isInteger(value.pid) &&
      (value.startTime === null || Number.isInteger(value.startTime)) &&
      Number.isInteger(value.protocol) &&
      typeof value.version === 'string' &&
      typeof value.socket === 'string' &&
      Number.isInteger(value.sessionsMax) &&
      Array.isArray(value.children) &&
      value.children.every((child) => Number.isInteger(child?.pid) && typeof child.session === 'string');
    return isWhole ? (value as HolderRegistration) : null;
  } catch {
    // Cut off, damaged or gone: no registration, and the caller reports the file.
    return null;
  }
}
