import { once } from 'node:events';
import { ok, type Result, refuse } from '../../base/index.ts';
import { type ErrorCode, exitCodes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import type { Outcome } from '../outcome.ts';
import { TerminalText } from '../terminal-text.ts';
import { defineVerb } from '../verb.ts';
import { wholeNumber } from '../whole-number.ts';

export const verb = defineVerb<{ raw?: boolean; from: string; follow?: boolean }>({
  shape: (command) =>
    command
      .argument('<id>')
      .option('--raw', 'the exact bytes of its terminal, escape sequences and all')
      .option('--from <n>', 'begin at this byte', '0')
      .option('--follow', 'go on with what it prints'),
  async run(call, [ref = ''], options): Promise<Outcome> {
    if (call.flags.json) return refuse('request/invalid', 'A log is bytes, not a document', 'concert logs <id> --raw');
    const from = wholeNumber(options.from, '--from', [0, Number.MAX_SAFE_INTEGER]);
    if (!from.ok) return from;
    if (options.raw === true && call.invocation.stdout.isTTY === true && !call.flags.yes) {
      return refuse(
        'request/invalid',
        'Raw bytes could change your terminal',
        'Send them to a file or a pipe, or say --yes',
      );
    }
    const session = await call.session(ref);
    if (!session.ok) return session;
    const write = options.raw === true ? rawWriter(call) : textWriter(call);
    const to = await copyLog(call, session.value.id, from.value, write);
    if (!to.ok) return to;
    if (options.follow !== true) return exitCodes.ok;
    const { followOutput } = await import('../attach/follow-output.ts');
    return await followOutput(call, session.value.id, to.value, write);
  },
});

type Write = (bytes: Uint8Array) => Promise<void>;

/** Resolves with the offset after the last byte. */
async function copyLog(call: Call, session: string, from: number, write: Write): Promise<Result<number, ErrorCode>> {
  let offset = from;
  const copied = await call.api.log(session, from, async (bytes) => {
    offset += bytes.length;
    await write(bytes);
  });
  return copied.ok ? ok(offset) : copied;
}

function rawWriter({ invocation: { stdout } }: Call): Write {
  return async (bytes) => {
    if (!stdout.write(bytes)) await once(stdout, 'drain');
  };
}

function textWriter(call: Call): Write {
  const text = new TerminalText();
  const { stdout } = call.invocation;
  return async (bytes) => {
    if (!stdout.write(text.push(bytes))) await once(stdout, 'drain');
  };
}
