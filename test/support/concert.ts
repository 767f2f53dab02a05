import { PassThrough, Writable } from 'node:stream';
import { type Invocation, runCli } from '../../src/cli/index.ts';
import { layOutHome } from '../../src/protocol/index.ts';

export interface Ran {
  exit: number;
  out: string;
  err: string;
}

/** The command line in this process, in a home of its own, without a terminal. */
export class Concert {
  readonly env: Record<string, string>;
  readonly folder: string;
  input = '';
  /** Columns of a pretended terminal for output; keys are never pretended. */
  columns: number | null = null;
  other: Invocation['other'] = {
    runDaemon: () => Promise.reject(new Error('Not for this test')),
    service: async (action) => ({ ok: true, value: [`Did ${action}`] }),
    repair: async () => ({ ok: true, value: ['Mended'] }),
  };
  readonly interrupt = Promise.withResolvers<void>();
  program: Invocation['program'] = [process.execPath, '/nowhere/main.js'];

  constructor(folder: string) {
    this.folder = folder;
    this.env = { CONCERT_HOME: folder, LANG: 'C.UTF-8', PATH: process.env['PATH'] ?? '' };
  }

  get home() {
    return layOutHome(this.env, 0);
  }

  async run(...argv: string[]): Promise<Ran> {
    const out: string[] = [];
    const err: string[] = [];
    const exit = await runCli({ ...this.invocation(out, err), argv });
    return { exit, out: out.join(''), err: err.join('') };
  }

  /** Everything but the arguments; what is written is gathered piece by piece. */
  invocation(out: string[], err: string[] = []): Invocation {
    const stdin = new PassThrough();
    stdin.end(this.input);
    const stdout: Invocation['stdout'] = collect(out);
    if (this.columns !== null) Object.assign(stdout, { isTTY: true, columns: this.columns, rows: 24 });
    return {
      argv: [],
      env: this.env,
      cwd: this.folder,
      uid: process.getuid?.() ?? 0,
      stdin,
      stdout,
      stderr: collect(err),
      program: this.program,
      interrupted: () => this.interrupt.promise,
      version: () => '0.1.0',
      other: this.other,
    };
  }
}

function collect(into: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      into.push(chunk.toString());
      done();
    },
  });
}
