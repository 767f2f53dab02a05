import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { ok, type Result, refuse } from '../../base/index.ts';
import { plainLine } from '../../client/index.ts';
import { type ErrorCode, exitCodes, type RunDocument, type TaskStartRequest } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { callerEnvironment } from '../caller-environment.ts';
import type { Outcome } from '../outcome.ts';
import { defineVerb } from '../verb.ts';
import { waitForStates } from '../wait-for-state.ts';
import { wholeNumber } from '../whole-number.ts';
import { reportWaited, restStates } from './wait.ts';

interface Options {
  repo?: string;
  agent?: string;
  inPlace?: boolean;
  name?: string;
  /** False with `--no-tab`. */
  tab?: string | boolean;
  priority?: string;
  wait?: boolean;
  attach?: boolean;
}

/** Flags that have their place and their meaning but not yet what they need. */
const laterFlags = [
  '--value <v>',
  '--after <id>',
  '--at <time>',
  '--when <event>',
  '--every <time>',
  '--deadline <time>',
  '--budget <amount>',
  '--from <id>',
  '-n, --copies <k>',
  '--mode <mode>',
  '--model <model>',
  '--effort <effort>',
  '--start',
];

export const verb = defineVerb<Options>({
  hasRest: true,
  shape(command) {
    command
      .usage('"<task>" [options]   |   concert run [options] -- <argv...>')
      .argument('[task]', 'what you want; - reads it from standard input')
      .option('-r, --repo <folder>', 'repository or folder to work in; this one by default')
      .option('-a, --agent <agent>', 'who does it; a plain command by default')
      .option('--in-place', 'in the folder itself, without a worktree of its own')
      .option('--name <name>', 'what the session is called')
      .option('--tab <n>', 'on this tab; the lowest free one by default')
      .option('--no-tab', 'on no tab')
      .option('-p, --priority <priority>', 'now, next or later', 'next')
      .option('--wait', 'until its turn is over')
      .option('--attach', 'show it in this terminal');
    for (const flag of laterFlags) command.addOption(command.createOption(flag).hideHelp());
  },
  async run(call, args, options, argv) {
    const later = laterFlags.find((flag) => Object.hasOwn(options, optionName(flag)));
    if (later !== undefined) {
      const [name] = later.split(/[ ,]/);
      return refuse('request/not-built-yet', `${name} is not built yet; nothing was started`);
    }
    if (args.length > 1)
      return refuse('request/invalid', 'Put the task into quotes, or a command after --', 'concert run --help');
    if (options.attach === true && !(call.invocation.stdin.isTTY === true && call.invocation.stdout.isTTY === true))
      return refuse('request/invalid', '--attach needs a terminal; nothing was started');
    const request = await requestOf(call, args[0], options, argv);
    if (!request.ok) return request;
    const started = await call.api.startTask(request.value);
    if (!started.ok) return started;
    const saysMoreLater = options.wait === true || options.attach === true;
    if (!saysMoreLater || !call.flags.json) call.answer(started.value, runLines);
    return await followUp(call, started.value, options);
  },
});

async function requestOf(
  call: Call,
  task: string | undefined,
  options: Options,
  argv: string[],
): Promise<Result<TaskStartRequest, ErrorCode>> {
  const { cwd, env, stdin, stdout } = call.invocation;
  const prompt = task === '-' ? await (await import('node:stream/consumers')).text(stdin) : (task ?? '');
  if (prompt.trim() === '' && argv.length === 0)
    return refuse(
      'request/invalid',
      'There is nothing to run',
      'concert run "<task>" -a <agent>, or concert run -- <command>',
    );
  const folder = folderOf(cwd, options.repo);
  if (!folder.ok) return folder;
  const priority = (['now', 'next', 'later'] as const).find((known) => known === options.priority);
  if (priority === undefined)
    return refuse(
      'request/invalid',
      `A priority is now, next or later, not "${plainLine(options.priority ?? '', 40)}"`,
    );
  const tab =
    typeof options.tab === 'string'
      ? wholeNumber(options.tab, '--tab', [1, 9])
      : ok(options.tab === false ? null : ('auto' as const));
  if (!tab.ok) return tab;
  const size = stdout.columns !== undefined && stdout.rows !== undefined ? sizeOf(stdout.columns, stdout.rows) : {};
  return ok({
    prompt,
    argv,
    cwd: folder.value,
    inPlace: options.inPlace === true,
    tab: tab.value,
    priority,
    env: callerEnvironment(env),
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...size,
  });
}

function folderOf(cwd: string, wanted: string | undefined): Result<string, ErrorCode> {
  if (wanted === undefined) return ok(cwd);
  const folder = isAbsolute(wanted) ? wanted : resolve(cwd, wanted);
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts?.isDirectory() === true) return ok(folder);
  return refuse(
    'request/invalid',
    `There is no folder "${plainLine(wanted, 120)}"; nothing was started`,
    'Give an existing folder with -r',
  );
}

/** A session begins at the size of the terminal it was asked from. */
function sizeOf(columns: number, rows: number): { columns: number; rows: number } {
  return { columns: Math.min(1000, Math.max(20, columns)), rows: Math.min(500, Math.max(5, rows)) };
}

export function runLines({ task, session, state, name, tab, needs }: RunDocument): string[] {
  if (session === null) return [`Queued as ${task}: it needs ${plainLine(needs ?? 'a free slot', 120)}`];
  const where = tab === null ? '' : ` on tab ${tab}`;
  return [
    `Started ${plainLine(name ?? session, 60)} (${session})${where}, ${state}. Next: concert attach ${tab ?? session}`,
  ];
}

async function followUp(call: Call, started: RunDocument, options: Options): Promise<Outcome> {
  if (options.attach === true) {
    const { attach } = await import('../attach/attach.ts');
    return await attach(call, started.session ?? started.task, {});
  }
  if (options.wait !== true) return exitCodes.ok;
  const refs = [started.session ?? started.task];
  const waited = await waitForStates(call, { refs, states: restStates, timeoutMs: null });
  if (!waited.ok) return waited;
  for (const one of waited.value) reportWaited(call, one);
  return Math.max(...waited.value.map(({ exit }) => exit));
}

function optionName(flag: string): string {
  return (/--([a-z]+)/.exec(flag)?.[1] ?? flag).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
