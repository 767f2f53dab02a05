import { ok, type Refusal, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import { type ErrorCode, errorCodes, exitCodes, layOutHome } from '../protocol/index.ts';
import type { Call, Flags } from './call.ts';
import { checkHome } from './check-home.ts';
import type { Invocation } from './invocation.ts';
import { exitCodeOf, type Outcome, printRefusal } from './outcome.ts';
import { commonFlags, parseQuickly } from './parse-quickly.ts';
import type { VerbRow } from './verbs.ts';
import { laterVerbs, verbs } from './verbs.ts';

/** Runs one command line to its end and says what to exit with. Refusals are printed here and nowhere else. */
export async function runCli(invocation: Invocation): Promise<number> {
  const common: string[] = [];
  let rest = [...invocation.argv];
  while (rest[0] !== undefined && commonFlags.has(rest[0])) common.push(...rest.splice(0, 1));
  const [name, ...args] = rest;
  const flags = flagsIn([...common, ...args]);

  if (name === 'sim' && invocation.other.simulate !== undefined) return await invocation.other.simulate(args);
  if (name === 'daemon') return await invocation.other.runDaemon();
  if (name === '-V' || name === '--version') {
    invocation.stdout.write(`concert ${invocation.version()}\n`);
    return exitCodes.ok;
  }
  if (name === '-h' || name === '--help' || (name === 'help' && args[0] === undefined)) {
    const { helpText } = await import('./help-text.ts');
    invocation.stdout.write(helpText());
    return exitCodes.ok;
  }
  if (name === 'help') rest = [args[0] ?? '', '--help'];

  const verbName = name === undefined ? 'ls' : (rest[0] ?? '');
  const row = rowOf(verbName);
  if (!row.ok) return refused(invocation, flags, row);
  return await runVerb(invocation, { name: verbName, row: row.value, argv: [...common, ...rest.slice(1)], flags });
}

async function runVerb(
  invocation: Invocation,
  { name, row, argv, flags }: { name: string; row: VerbRow; argv: string[]; flags: Flags },
): Promise<number> {
  const quick = row.quick === undefined ? null : parseQuickly(row.quick, argv);
  // Side by side: while one is read from disk another is compiled.
  const [{ verb }, { openCall }] = await Promise.all([
    row.load(),
    import('./open-call.ts'),
    quick === null && import('./parse-verb.ts'),
  ]);
  const parsed =
    quick === null ? (await import('./parse-verb.ts')).parseVerb({ name, row, verb, argv }) : ok({ ...quick });
  if (!parsed.ok) return refused(invocation, flags, parsed);
  if ('help' in parsed.value) {
    invocation.stdout.write(parsed.value.help);
    return exitCodes.ok;
  }
  const home = checkHome(layOutHome(invocation.env, invocation.uid));
  if (!home.ok) return refused(invocation, flags, home);
  const call = openCall(invocation, { flags, need: row.daemon, home: home.value });
  const { args, options, rest } = parsed.value;
  const outcome = await run(() => verb.run(call, args, options, rest), call);
  if (typeof outcome !== 'number') call.refuse(row.completes === 'ids' ? naming(args[0], outcome) : outcome);
  return exitCodeOf(outcome);
}

/** What nobody foresaw ends this call, and nothing else. */
async function run(verb: () => Promise<Outcome>, call: Call): Promise<Outcome> {
  try {
    return await verb();
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    if (call.flags.verbose) call.tell(stack ?? message);
    return refuse('daemon/internal', `This command failed: ${plainLine(message, 300)}; sessions are not affected`);
  }
}

/** A hint that can be typed as it stands. */
function naming(ref: string | undefined, refusal: Refusal<ErrorCode>): Refusal<ErrorCode> {
  const { hint = errorCodes[refusal.code].hint } = refusal;
  return ref !== undefined && /^[\w.-]+$/.test(ref) ? { ...refusal, hint: hint.replaceAll('<id>', ref) } : refusal;
}

function refused(invocation: Invocation, flags: Flags, refusal: Refusal<ErrorCode>): number {
  printRefusal(invocation, flags, refusal);
  return exitCodeOf(refusal);
}

/** What matters before the verb's own options are known: how to print a refusal. */
function flagsIn(argv: readonly string[]): Flags {
  const end = argv.indexOf('--');
  const before = end < 0 ? argv : argv.slice(0, end);
  const has = (...names: string[]) => names.some((name) => before.includes(name));
  return {
    json: has('--json'),
    quiet: has('-q', '--quiet'),
    verbose: has('-v', '--verbose'),
    color: !has('--no-color'),
    yes: has('--yes', '-y'),
  };
}

function rowOf(name: string): Result<VerbRow, ErrorCode> {
  if (Object.hasOwn(verbs, name)) return ok(verbs[name] as VerbRow);
  if (name === '--host') return refuse('request/not-built-yet', 'Other hosts are not built yet; nothing was done');
  if (laterVerbs.has(name))
    return refuse('request/not-built-yet', `concert ${name} is not built yet; nothing was done`);
  const known = Object.keys(verbs).find((verb) => verb.startsWith(name) && name.length > 1);
  return refuse(
    'request/invalid',
    `There is no verb "${plainLine(name, 40)}"`,
    known === undefined ? 'concert --help' : `concert ${known}`,
  );
}
