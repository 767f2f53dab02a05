import { describe, expect, test } from 'vitest';
import { agentContract } from '../../../test/support/agent-contract.ts';
import type { SessionState } from '../../protocol/index.ts';
import type { LaunchRequest, Signal, StatusRecord } from '../agent.ts';
import { createDemoAgent } from './demo-agent.ts';
import { DemoReader } from './demo-reader.ts';
import { plainTitle, tellingTitle } from './demo-report.ts';

const agent = createDemoAgent({ nodePath: '/opt/node', entry: '/opt/demo-agent.js' });

describe('contract', () => {
  for (const { name, check } of agentContract(agent, { argv: ['--scenario', 'echo'] })) test(name, check);
});

test('is labelled simulated', () => {
  expect(agent.isSimulated).toBe(true);
});

test('plans a start and a resume of the same conversation', () => {
  const request = {
    incarnation: 2,
    cwd: '/project/tree',
    prompt: '--help',
    argv: ['--scenario', 'checkout-tax'],
    env: {},
    privateDir: '/private',
  } as unknown as LaunchRequest;
  const common = ['/opt/node', '/opt/demo-agent.js', '--scenario', 'checkout-tax', '--log-dir=/private'];
  const promptFile = '/private/prompt-2.txt';
  expect(agent.launch({ ...request, conversation: { kind: 'fresh', id: 'c-1' } })).toMatchObject({
    ok: true,
    value: {
      main: { argv: [...common, '--conversation=c-1', `--prompt-file=${promptFile}`], cwd: '/project/tree', io: 'pty' },
      files: [{ path: promptFile, content: '--help' }],
      conversation: 'c-1',
      carriesPrompt: true,
      nativeResume: [...common, '--resume=c-1'],
    },
  });
  expect(agent.launch({ ...request, prompt: '', conversation: { kind: 'resume', id: 'c-1' } })).toMatchObject({
    ok: true,
    value: { main: { argv: [...common, '--resume=c-1'] }, files: [], conversation: 'c-1' },
  });
});

test('says when its program is missing', async () => {
  const probe = { env: {}, which: async () => null, output: async () => null };
  expect(await agent.detect({ ...probe, file: async () => 'program' })).toMatchObject({ installed: true, note: null });
  expect(await agent.detect({ ...probe, file: async () => null })).toMatchObject({
    installed: false,
    note: expect.stringContaining('missing'),
  });
});

describe('signals', () => {
  const told = (state: StatusRecord['state'], message: string | null = null): Signal => ({
    kind: 'status',
    at: 1,
    records: [{ id: '', state, kind: null, message, app: 'demo', progress: null }],
  });
  const states = (current: SessionState, ...signals: Signal[]) => {
    const reader = new DemoReader('c-1');
    return signals.flatMap((signal) => reader.read(signal, current).map(({ source, state }) => [source, state]));
  };

  test('idle that names what it waits for is parked', () => {
    expect(states('working', told('idle', 'until 10:40, when CI ends'), told('working'), told('idle'))).toEqual([
      ['osc7501', 'parked'],
      ['osc7501', 'working'],
      ['osc7501', 'ready'],
    ]);
  });

  test('titles tell the state where the terminal does not know OSC 7501', () => {
    const reports = [
      { state: 'idle' },
      { state: 'working' },
      { state: 'blocked', kind: 'question' },
      { state: 'done' },
      { state: 'error' },
      { state: 'idle', message: 'until 10:40, when CI ends' },
      { state: 'clear' },
    ] as const;
    const titles = reports.map((report): Signal => ({ kind: 'title', at: 1, title: tellingTitle('x', report) }));
    expect(states('starting', ...titles).map(([, state]) => state)).toEqual([
      'ready',
      'working',
      'blocked',
      'review',
      'failed',
      'parked',
      'unknown',
    ]);
  });

  test('titles only support once the program reports', () => {
    const title: Signal = { kind: 'title', at: 1, title: tellingTitle('x', { state: 'done' }) };
    const plain: Signal = { kind: 'title', at: 1, title: plainTitle('x') };
    expect(states('starting', told('working'), title, plain)).toEqual([
      ['osc7501', 'working'],
      ['title', undefined],
      ['title', undefined],
    ]);
  });
});
