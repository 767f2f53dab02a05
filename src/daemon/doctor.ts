import { statfsSync } from 'node:fs';
import type { DoctorDocument, Home } from '../protocol/index.ts';
import type { MachineProbe } from './machine-probe.ts';
import type { Publisher } from './publisher.ts';
import type { Terminals } from './terminals.ts';

/** Below this the disk is called nearly full: logs of a busy fleet grow by about a MiB a second. */
const freeMiBWanted = 1024;

export interface DoctorOptions {
  home: Home;
  probe: MachineProbe;
  publisher: Publisher;
  terminals: Terminals;
  /** From opening the journal: null when sound. */
  journalTrouble: string | null;
}

/** Looks at everything the sessions rest on and says in sentences what is wrong and what to do. Changes nothing. */
export class Doctor {
  readonly #options: DoctorOptions;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  async examine(): Promise<DoctorDocument> {
    const { home, probe, publisher, terminals, journalTrouble } = this.#options;
    const git = await probe.output(['git', '--version']);
    const space = statfsSync(home.state);
    const freeMiB = Math.floor((space.bavail * space.bsize) / 1_048_576);
    const holders = terminals.holders();
    const checks = [
      check('daemon', publisher.readOnly === null, publisher.readOnly ?? 'Works normally', 'concert log'),
      check(
        'journal',
        journalTrouble === null,
        journalTrouble ?? 'Every row carries its right hash',
        'concert doctor --repair',
      ),
      check('git', git !== null, git?.trim() ?? 'git was not found: sessions can only run in place', 'Install git'),
      check(
        'disk',
        freeMiB >= freeMiBWanted,
        `${freeMiB} MiB free in ${home.state}`,
        'Free space before logs pause sessions',
      ),
      ...holders.map((holder) =>
        check(
          `holder ${holder.id}`,
          holder.alive,
          holder.alive
            ? `Process ${holder.pid}, ${holder.sessions} sessions, version ${holder.version}`
            : `Process ${holder.pid} does not answer`,
          'concert logs <id>',
        ),
      ),
    ];
    return { schema: 'concert/doctor@1', ok: checks.every((each) => each.ok), checks };
  }
}

function check(name: string, ok: boolean, message: string, hint: string): DoctorDocument['checks'][number] {
  return { name, ok, message, hint: ok ? null : hint };
}
