import { expect, it } from 'vitest';
import { runSim } from './index.ts';

async function run(...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await runSim(argv, { write: (more) => (text += more) });
  return { code, text };
}

it('tells what happened, the same each time', async () => {
  const [first, second] = [await run('--seed', '7', '--json'), await run('--seed', '7', '--json')];
  const [a, b] = [JSON.parse(first.text), JSON.parse(second.text)];
  expect([first.code, { ...a, ms: 0 }]).toEqual([0, { ...b, ms: 0 }]);
  expect(Object.keys(a)).toEqual(['schema', 'seeds', 'steps', 'crashes', 'faults', 'hash', 'ms', 'violation']);
});

it('tells of a failure its seed, step, invariant, last events, and how to see it again and smaller', async () => {
  const { code, text } = await run('--seeds', '1-20', '--break', 'slots');
  expect(code).toBe(0);
  expect(text).toMatch(/^BROKEN in seed \d+ at step \d+: slots\n {2}Nothing is started beyond the slots\.$/m);
  expect(text).toMatch(/^Again: npm run sim -- --seed \d+ --break slots$/m);
  const [, smaller] = /^Smaller \(\d+ steps\): npm run sim -- (.*)$/m.exec(text) ?? [];
  expect((await run(...(smaller ?? '').split(' '))).text).toContain('BROKEN');
});

it('says so when a break is not noticed', async () => {
  const { code, text } = await run('--seed', '1', '--steps', '1', '--break', 'stop-ends');
  expect([code, text]).toEqual([1, expect.stringContaining('held')]);
});

it('leaves faults out', async () => {
  const { text } = await run(
    '--seeds',
    '1-10',
    '--steps',
    '200',
    '--without',
    'crash,storm,rival,reboot,crashAfterCommit',
    '--json',
  );
  expect(JSON.parse(text)).toMatchObject({ crashes: 0 });
});

it.each([
  [['--seeds', '9-3'], 'Seeds and steps are whole numbers'],
  [['--seed', 'x'], 'Seeds and steps are whole numbers'],
  [['--break', 'nothing'], 'There is no invariant "nothing"'],
  [['--without', 'rain'], 'There is no fault "rain"'],
  [['--policy'], "Unknown option '--policy'"],
])('%s is answered with a sentence and the usage', async (argv, sentence) => {
  const { code, text } = await run(...argv);
  expect([code, text]).toEqual([2, expect.stringContaining(sentence)]);
  expect(text).toContain('Usage:');
});

it('explains itself', async () => {
  expect(await run('--help')).toEqual({ code: 0, text: expect.stringContaining('--seeds <a>-<b>') });
});
