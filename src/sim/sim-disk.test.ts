import { expect, it } from 'vitest';
import type { JournalBatch } from '../fleet/index.ts';
import { SimDisk } from './sim-disk.ts';
import { SimRandom } from './sim-random.ts';
import { Timeline } from './timeline.ts';

function disk() {
  const timeline = new Timeline(0);
  const all = new SimDisk({ timeline, random: new SimRandom(1), onCommit() {}, onSnapshot() {} });
  const writer = all.open(() => false).journal;
  const append = async (batch: Partial<JournalBatch>): Promise<string> => {
    const written = writer.append({ epoch: 1, rows: [], steps: [], ...batch }).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
    timeline.next();
    return written;
  };
  return { all, append };
}

function row(seq: number, message = 'm') {
  return { seq, at: 0, host: 'h', event: { type: 'message.sent', session: 's', message } as const };
}

const claim = { task: 't', owner: 'h' };

it('has the rules of the real journal', async () => {
  const { all, append } = disk();
  const answers = [
    await append({ rows: [row(1)], steps: [{ type: 'enqueue', task: 't', pool: 'local' }] }),
    await append({ rows: [row(1)] }),
    await append({ rows: [row(1, 'other')] }),
    await append({ rows: [row(2)], steps: [{ type: 'claim', ...claim, token: 1 }] }),
    await append({ rows: [row(3)], steps: [{ type: 'claim', ...claim, token: 1 }] }),
    await append({ rows: [row(3)], steps: [{ type: 'commit', ...claim, token: 1 }] }),
    await append({ rows: [row(4)], steps: [{ type: 'claim', ...claim, token: 2 }] }),
    await append({ epoch: 2, rows: [row(4)] }),
    await append({ epoch: 1 }),
  ];
  all.isFull = true;
  answers.push(await append({ epoch: 2, rows: [row(5)] }));
  expect([answers, all.texts.length, all.epoch]).toEqual([
    ['ok', 'ok', 'journal/fenced', 'ok', 'journal/fenced', 'ok', 'journal/fenced', 'ok', 'journal/fenced', 'disk/full'],
    4,
    2,
  ]);
});
