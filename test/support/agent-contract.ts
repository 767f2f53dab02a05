import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import type {
  Agent,
  ConversationStart,
  LaunchPlan,
  LaunchRequest,
  RunningSession,
  Signal,
} from '../../src/agents/index.ts';
import { detailLengthMax } from '../../src/agents/safe-text.ts';
import { Confidence, SessionState } from '../../src/protocol/index.ts';

/** One promise every agent keeps. Free of any test runner: give `name` and `check` to yours. */
interface ContractCase {
  name: string;
  check(): void | Promise<void>;
}

interface ContractSamples {
  /** Arguments a session of this agent may be asked for with. */
  argv: readonly string[];
  /** Signals only this agent understands, such as its hooks; the common ones are tried anyway. */
  signals?: readonly Signal[];
}

/** What every adapter must pass before it has tests of its own. */
export function agentContract(agent: Agent, { argv, signals = [] }: ContractSamples): readonly ContractCase[] {
  const allSignals = [...commonSignals, ...signals];
  return [
    { name: 'names itself', check: () => namesItself(agent) },
    { name: 'detects on an empty machine without failing', check: () => detectsNothing(agent) },
    { name: 'plans a launch as plain data, the same for the same request', check: () => plansPlainly(agent, argv) },
    { name: 'gives its process a clean terminal environment', check: () => plansTerminal(agent, argv) },
    {
      name: 'changes nothing on disk and writes only into its private folder',
      check: () => keepsHandsOff(agent, argv),
    },
    { name: 'hands on extra arguments as they are', check: () => keepsArguments(agent, argv) },
    ...hostileTexts.map(({ name, text }) => ({
      name: `carries a prompt ${name}`,
      check: () => carriesPrompt(agent, argv, text),
    })),
    ...hostileTexts.map(({ name, text }) => ({
      name: `types a prompt ${name}`,
      check: () => typesPrompt(agent, text),
    })),
    { name: 'interrupts by keys or says that it cannot', check: () => interrupts(agent) },
    { name: 'resumes and branches what its abilities say', check: () => keepsAbilities(agent, argv) },
    { name: 'gives well-formed evidence for every signal', check: () => givesEvidence(agent, allSignals) },
    { name: 'never concludes from noise that it waits for a person', check: () => neverGuessesBlocked(agent) },
    { name: 'takes a repeated report for no news', check: () => hearsOnce(agent) },
  ];
}

/** The kernel takes no longer argument than this, its end mark included. */
const argumentBytesMax = 128 * 1024 - 1;

const hostileTexts: readonly { name: string; text: string }[] = [
  { name: 'that looks like an option', text: '--dangerously-skip-permissions' },
  { name: 'that is a single dash', text: '-' },
  { name: 'of several lines', text: 'first\nsecond\r\nthird\rfourth\n' },
  { name: 'with shell characters', text: '$(touch x) `touch x` ; touch x | "quoted" \'quoted\' * ~ \\' },
  { name: 'that ends the paste', text: 'before\x1b[201~\rrm -rf .\r\x1b[200~after\x9b201~\r' },
  { name: 'with escape sequences', text: '\x1b]0;owned\x07\x1b[2J\x1b[A\x03\x04\x1a\x7f\u0085\u009dtext' },
  { name: 'with broken and reversed unicode', text: '\ud800 \u202eevil\u202c \u2066x\u2069 日本語 👩‍👩‍👧 e\u0301' },
  { name: 'of one megabyte', text: 'long words and more of them \n'.repeat(36_158) },
];

const commonSignals: readonly Signal[] = [
  ...(['idle', 'working', 'done', 'blocked', 'error'] as const).flatMap((state): Signal[] =>
    ([null, 'permission', 'question', 'auth'] as const).flatMap((kind) =>
      state !== 'blocked' && kind !== null
        ? []
        : hostileTexts.map(({ text }) => ({
            kind: 'status',
            at: 7,
            records: [{ id: '', state, kind, message: text, app: 'x', progress: 40 }],
          })),
    ),
  ),
  { kind: 'status', at: 7, records: [] },
  {
    kind: 'status',
    at: 7,
    records: [{ id: 'part', state: 'working', kind: null, message: null, app: null, progress: null }],
  },
  ...hostileTexts.map(({ text }): Signal => ({ kind: 'title', at: 7, title: text })),
  ...hostileTexts.map(({ text }): Signal => ({ kind: 'notification', at: 7, title: text, body: text })),
  { kind: 'bell', at: 7 },
  ...(['prompt', 'command', 'output', 'finished'] as const).flatMap((mark): Signal[] =>
    [null, 0, 1].map((exitCode) => ({ kind: 'mark', at: 7, mark, exitCode })),
  ),
  ...[null, undefined, 'text', 7, {}, { hook_event_name: {} }].flatMap((payload): Signal[] => [
    { kind: 'hook', at: 7, name: 'Stop', payload },
    { kind: 'server', at: 7, event: payload },
  ]),
  { kind: 'file', at: 7, name: 'unknown', content: '{"half' },
  { kind: 'silence', at: 7, silentMs: 12_345 },
  { kind: 'output', at: 7 },
];

function namesItself(agent: Agent): void {
  assert.match(agent.id, /^[a-z][a-z0-9-]*$/);
  assert.notEqual(agent.title, '');
  for (const name of agent.environment) assert.match(name, /^[A-Z][A-Z0-9_]*\*?$/);
}

async function detectsNothing(agent: Agent): Promise<void> {
  const nothing = async () => null;
  const detection = await agent.detect({ env: {}, which: nothing, output: nothing, file: nothing });
  if (!detection.installed) assert.notEqual(detection.note ?? '', '', 'says what is missing');
}

function plansPlainly(agent: Agent, argv: readonly string[]): void {
  const plan = planOf(agent, request({ argv }));
  assert.deepEqual(planOf(agent, request({ argv })), plan);
  assert.deepEqual(structuredClone(plan), plan, 'plain data');
  for (const planned of [plan.main, ...plan.sidecars]) {
    assert.notEqual(planned.argv[0] ?? '', '');
    assert.equal(planned.cwd, request({ argv }).cwd);
    for (const argument of planned.argv) assertArgument(argument);
    for (const [name, value] of Object.entries(planned.env)) {
      assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
      assertArgument(value);
    }
  }
  for (const { name } of plan.sidecars) assert.match(name, /^[a-z][a-z0-9-]*$/);
}

function assertArgument(text: string): void {
  assert.equal(typeof text, 'string');
  assert.ok(!text.includes('\0'), 'no NUL');
  assert.ok(Buffer.byteLength(text) <= argumentBytesMax, `${Buffer.byteLength(text)} bytes in one argument`);
}

function plansTerminal(agent: Agent, argv: readonly string[]): void {
  const { main } = planOf(agent, request({ argv }));
  assert.equal(main.env.TERM, 'xterm-256color');
  assert.equal(main.env.COLORTERM, 'truecolor');
  assert.equal(main.env.PATH, request({ argv }).env.PATH);
}

function keepsHandsOff(agent: Agent, argv: readonly string[]): void {
  const home = mkdtempSync(join(tmpdir(), 'agent-contract-'));
  try {
    const [cwd, privateDir] = [join(home, 'work tree'), join(home, 'private')];
    for (const folder of [cwd, privateDir]) mkdirSync(folder);
    writeFileSync(join(home, '.config'), 'theirs');
    const before = readdirSync(home, { recursive: true }).sort();
    const plan = planOf(agent, request({ argv, cwd, privateDir, env: { HOME: home, PATH: '/usr/bin' } }));
    assert.deepEqual(readdirSync(home, { recursive: true }).sort(), before);
    for (const { path } of plan.files) {
      const inside = relative(privateDir, path);
      assert.ok(inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`), `${path} is outside`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function keepsArguments(agent: Agent, argv: readonly string[]): void {
  const extra = [...argv, '--flag', 'a b', '$(touch x)', '; touch x', '*'];
  const result = agent.launch(request({ argv: extra }));
  if (!result.ok) return;
  const main = result.value.main.argv;
  const starts = main
    .map((_, at) => at)
    .filter((at) => extra.every((argument, index) => main[at + index] === argument));
  assert.equal(starts.length, 1, 'once, whole and in order');
}

function carriesPrompt(agent: Agent, argv: readonly string[], prompt: string): void {
  const { main, files, carriesPrompt: isCarried } = planOf(agent, request({ argv, prompt }));
  for (const argument of main.argv) assertArgument(argument);
  for (const value of Object.values(main.env)) assert.ok(!value.includes(prompt) || prompt.length < 3, 'not in env');
  const at = main.argv.indexOf(prompt, 1);
  if (at !== -1 && prompt.startsWith('-')) assert.ok(main.argv.slice(0, at).includes('--'), 'never read as an option');
  if (!agent.abilities.prompts || !isCarried) return;
  assert.ok(at !== -1 || files.some(({ content }) => content === prompt), 'the whole prompt is handed over');
}

function typesPrompt(agent: Agent, text: string): void {
  const steps = agent.submit(text);
  const typed = steps.map(({ bytes }) => bytes);
  const letters = (from: string) => from.replace(/\p{Surrogate}/gu, '').replace(/[^\p{L}\p{N}]/gu, '');
  for (const { thenWaitMs } of steps) assert.ok(thenWaitMs >= 0 && thenWaitMs <= 1000);
  const pastes = typed.filter((bytes) => bytes.startsWith('\x1b[200~'));
  if (agent.abilities.prompts) {
    const paste = pastes[0] ?? '';
    assert.equal(pastes.length, 1, 'one paste');
    assert.equal(typed.at(-1), '\r', 'Enter is a write of its own');
    assert.ok((steps.at(typed.indexOf(paste))?.thenWaitMs ?? 0) >= 50, 'and does not join the paste');
    assert.ok(paste.endsWith('\x1b[201~'));
    const inside = paste.slice('\x1b[200~'.length, -'\x1b[201~'.length);
    assert.doesNotMatch(inside, /[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]/, 'nothing in it acts as a key');
    assert.equal(letters(inside), letters(withoutControls(text)));
  } else {
    assert.equal(pastes.length, 0);
    assert.doesNotMatch(typed.join(''), /[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]/);
    assert.equal(letters(typed.join('')), letters(withoutControls(text)));
  }
}

function withoutControls(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '');
}

function interrupts(agent: Agent): void {
  const steps = agent.interrupt();
  if (steps !== null) assert.ok(steps.length > 0 && steps.every(({ bytes }) => bytes.length > 0));
}

function keepsAbilities(agent: Agent, argv: readonly string[]): void {
  const plan = (conversation: ConversationStart) => agent.launch(request({ argv, conversation }));
  const { abilities } = agent;
  const fresh = planOf(agent, request({ argv }));
  assert.equal(fresh.conversation, abilities.choosesConversation ? freshId : null);
  assert.equal(fresh.nativeResume === null, !abilities.resume || !abilities.choosesConversation);
  const unknown = plan({ kind: 'resume', id: null });
  if (abilities.resume) {
    const resumed = plan({ kind: 'resume', id: 'kept-1' });
    assert.ok(resumed.ok);
    assert.equal(resumed.value.conversation, 'kept-1');
    assert.ok(resumed.value.nativeResume?.some((argument) => argument.includes('kept-1')));
    assert.ok(!unknown.ok && unknown.code === 'session/cannot-resume');
  }
  const forked = plan({ kind: 'fork', from: 'kept-1', id: freshId });
  assert.ok(forked.ok === abilities.fork);
  if (!forked.ok) assert.equal(forked.code, 'agent/cannot');
  if (abilities.sidecar) assert.ok(fresh.sidecars.length > 0);
  else assert.deepEqual([fresh.sidecars, agent.connect(running, () => {})], [[], null]);
}

function givesEvidence(agent: Agent, signals: readonly Signal[]): void {
  for (const current of SessionState.options) {
    const settled = agent.readSignals(running);
    for (const signal of signals)
      for (const reader of [settled, agent.readSignals(running)])
        for (const evidence of reader.read(signal, current)) {
          const source = agent.sources.find((table) => table.source === evidence.source);
          assert.ok(source !== undefined, `${evidence.source} is one of its sources`);
          assert.ok(Confidence.options.includes(evidence.confidence));
          assert.equal(evidence.at, signal.at);
          assertSafe(evidence.signal);
          if ('detail' in evidence) assertSafe(evidence.detail ?? '');
          const { state } = evidence;
          if (state === undefined) continue;
          assert.ok(SessionState.options.includes(state));
          const isListed = source.reports.some(({ from, to }) => (from === 'any' || from === current) && to === state);
          assert.ok(isListed, `${evidence.source} lists ${current} to ${state}`);
        }
  }
}

/** Neither controls, nor line breaks, nor marks that reorder or hide text; not empty, not endless. */
function assertSafe(text: string): void {
  assert.match(text, /\S/);
  assert.ok([...text].length <= detailLengthMax, `${text.length} characters`);
  assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u);
}

function neverGuessesBlocked(agent: Agent): void {
  const noise = commonSignals.filter(({ kind }) =>
    ['bell', 'notification', 'silence', 'output', 'title'].includes(kind),
  );
  for (const current of SessionState.options)
    for (const signal of noise)
      for (const evidence of agent.readSignals(running).read(signal, current))
        assert.notEqual(evidence.state, 'blocked');
}

function hearsOnce(agent: Agent): void {
  const reader = agent.readSignals(running);
  const done: Signal = {
    kind: 'status',
    at: 1,
    records: [{ id: '', state: 'done', kind: null, message: 'finished', app: null, progress: null }],
  };
  reader.read(done, 'working');
  const again = reader.read({ ...done, at: 2 }, 'ready').filter(({ state }) => state !== undefined);
  assert.deepEqual(again, [], 'a settled turn does not come back');
}

const freshId = '3f0e9c1a-5b7d-4e2f-8a6c-1d2e3f4a5b6c';

function request(over: Partial<LaunchRequest>): LaunchRequest {
  return {
    session: 's_contract',
    incarnation: 1,
    cwd: '/nowhere/work tree',
    prompt: '',
    argv: [],
    env: { PATH: '/usr/bin:/bin', HOME: '/nowhere' },
    conversation: { kind: 'fresh', id: freshId },
    privateDir: '/nowhere/private',
    hooks: { socket: '/nowhere/hooks.sock', url: 'http://127.0.0.1:1/hooks', secret: 'f'.repeat(64) },
    server: { port: 1, socketPath: '/nowhere/server.sock', secret: 'e'.repeat(64) },
    detection: { installed: true, signedIn: true, version: '1.0.0', path: '/nowhere/agent', note: null },
    ...over,
  };
}

const running: RunningSession = {
  session: 's_contract',
  incarnation: 1,
  pid: 4_000_000,
  cwd: '/nowhere/work tree',
  env: { PATH: '/usr/bin:/bin', HOME: '/nowhere' },
  privateDir: '/nowhere/private',
  conversation: freshId,
  server: null,
};

function planOf(agent: Agent, from: LaunchRequest): LaunchPlan {
  const result = agent.launch(from);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.value;
}
