import { expect, test } from 'vitest';
import { rows } from '../../test/support/store/fixtures.ts';
import { chainStart, decodeRow, encodeRow, hashRow } from './row-hash.ts';

const [row] = rows(7, 1).map(encodeRow);
if (!row) throw new Error('one row expected');

test('a row decodes to what was encoded', () => {
  expect(rows(1, 50).map(encodeRow).map(decodeRow)).toEqual(rows(1, 50));
});

test('the hash changes with every field, and with the row before', () => {
  const variants = [
    row,
    { ...row, seq: 8 },
    { ...row, at: row.at + 1 },
    { ...row, host: 'h2' },
    { ...row, type: `${row.type}x` },
    { ...row, subject: `${row.subject}x` },
    { ...row, data: `${row.data} ` },
    { ...row, host: `${row.host}${row.type}`, type: '' },
    { ...row, type: `${row.type}${row.subject}`, subject: '' },
  ];
  const hashes = variants.map((variant) => hashRow(chainStart.rowHash, variant));
  hashes.push(hashRow('1'.repeat(64), row));
  expect(new Set(hashes).size).toBe(variants.length + 1);
});

test('the subject is what the event is about', () => {
  const about = (event: Parameters<typeof encodeRow>[0]['event']) =>
    encodeRow({ seq: 1, at: 0, host: 'h', event }).subject;
  expect([
    about({ type: 'task.claimed', task: 't_1', session: 's_1', token: 1 }),
    about({ type: 'message.sent', session: 's_1', message: 'm_1' }),
    about({ type: 'project.added', project: 'p_1', root: '/', name: 'n' }),
    about({ type: 'daemon.stopped' }),
  ]).toEqual(['t_1', 's_1', 'p_1', '']);
});
