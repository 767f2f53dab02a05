import { describe, expect, test } from 'vitest';
import { agentContract } from '../../../test/support/agent-contract.ts';
import type { Evidence } from '../../fleet/index.ts';
import type { SessionState } from '../../protocol/index.ts';
import type { LaunchRequest, Signal } from '../agent.ts';
import { genericAgent } from './generic-agent.ts';
import { GenericReader } from './generic-reader.ts';

describe('contract', () => {
  for (const { name, check } of agentContract(genericAgent, { argv: ['sh', '-c', 'true'] })) test(name, check);
});

describe('launch', () => {
  const request = {
    cwd: '/tmp',
    env: { PATH: '/bin', TERM: 'dumb' },
    conversation: { kind: 'fresh', id: 'x' },
  } as unknown as LaunchRequest;

  test('runs the command as given, for a resume too', () => {
    const argv = ['make', '-j', '$(nproc)', '; rm -rf ~'];
    const main = {
      argv,
      cwd: '/tmp',
      io: 'pty',
      env: { PATH: '/bin', TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    };
    for (const kind of ['fresh', 'resume'] as const)
      expect(genericAgent.launch({ ...request, argv, conversation: { kind, id: 'x' } })).toMatchObject({
        ok: true,
        value: { main, conversation: null, nativeResume: null },
      });
  });

  test.each([{ argv: [] }, { argv: [''] }, { argv: ['a\0b'] }])('refuses $argv', ({ argv }) => {
    expect(genericAgent.launch({ ...request, argv })).toMatchObject({ ok: false, code: 'request/invalid' });
  });
});

test('types lines without paste marks, control characters left out', () => {
  expect(genericAgent.submit('ls\nrm\x1b[201~ -x\x03')).toEqual([{ bytes: 'ls\rrm[201~ -x\r', thenWaitMs: 0 }]);
});

describe('signals', () => {
  /** Follows the state the way the daemon would. */
  function follow(...signals: Signal[]): { state: SessionState; evidence: Evidence[] } {
    const reader = new GenericReader();
    let state: SessionState = 'starting';
    const evidence = signals.flatMap((signal) => {
      const pieces = reader.read(signal, state);
      for (const piece of pieces) state = piece.state ?? state;
      return pieces;
    });
    return { state, evidence };
  }
  const output = (at: number): Signal => ({ kind: 'output', at });
  const silence = (at: number, silentMs: number): Signal => ({ kind: 'silence', at, silentMs });
  const mark = (at: number, name: (Signal & { kind: 'mark' })['mark'], exitCode: number | null = null): Signal => ({
    kind: 'mark',
    at,
    mark: name,
    exitCode,
  });
  const status = (at: number, state: 'idle' | 'working' | 'done'): Signal => ({
    kind: 'status',
    at,
    records: [{ id: '', state, kind: null, message: null, app: null, progress: null }],
  });

  test('only output: working by guess, then unknown, told once each', () => {
    const guess = { source: 'silence', confidence: 'guess' } as const;
    const detail = 'Silent for 12 s; this program does not report its state';
    expect(follow(output(1), output(2), silence(3, 9_999), silence(4, 12_400), silence(5, 13_400), output(6))).toEqual({
      state: 'working',
      evidence: [
        { ...guess, signal: 'output', at: 1, state: 'working' },
        { ...guess, signal: 'silence', at: 4, state: 'unknown', detail },
        { ...guess, signal: 'output', at: 6, state: 'working' },
      ],
    });
  });

  test('a program silent from the start is unknown', () => {
    expect(follow(silence(1, 10_000)).state).toBe('unknown');
  });

  test('OSC 133 marks decide and silence adds nothing', () => {
    const likely = { source: 'mark', confidence: 'likely' } as const;
    const marks = [mark(1, 'prompt'), mark(2, 'command'), mark(3, 'output'), mark(4, 'finished', 2), mark(5, 'prompt')];
    expect(follow(...marks, output(6), silence(7, 60_000))).toEqual({
      state: 'ready',
      evidence: [
        { ...likely, signal: 'prompt', at: 1, state: 'ready' },
        { ...likely, signal: 'command', at: 2 },
        { ...likely, signal: 'output', at: 3, state: 'working' },
        { ...likely, signal: 'finished', at: 4, state: 'ready', detail: 'Exit code 2' },
        { ...likely, signal: 'prompt', at: 5, state: 'ready' },
      ],
    });
  });

  test('OSC 7501 decides over marks and silence', () => {
    const { state, evidence } = follow(status(1, 'working'), mark(2, 'prompt'), output(3), silence(4, 60_000));
    expect(state).toBe('working');
    expect(evidence.map(({ source, state: told }) => [source, told])).toEqual([
      ['osc7501', 'working'],
      ['mark', undefined],
    ]);
    expect(follow(status(1, 'working'), status(2, 'done')).state).toBe('review');
  });

  test('titles, bells and notifications support and never decide', () => {
    const heard = follow(
      { kind: 'title', at: 1, title: '[ ! ] Action Required' },
      { kind: 'bell', at: 2 },
      { kind: 'notification', at: 3, title: 'Permission', body: 'needed\x07' },
    );
    expect(heard).toEqual({
      state: 'starting',
      evidence: [
        { source: 'title', signal: 'title', at: 1, confidence: 'guess', detail: '[ ! ] Action Required' },
        { source: 'mark', signal: 'bell', at: 2, confidence: 'likely' },
        { source: 'mark', signal: 'notification', at: 3, confidence: 'likely', detail: 'Permission needed' },
      ],
    });
  });

  test('late output does not bring an ended session back', () => {
    for (const current of ['done', 'failed', 'paused', 'asleep', 'lost', 'blocked', 'review'] as const)
      expect(new GenericReader().read(output(1), current)).toEqual([]);
  });
});
