import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Conversation } from './conversation.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conversation-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const tool = { kind: 'tool', verb: 'Test', subject: 'a.test.js', result: '', lines: [] } as const;

test('reads back what was kept, the newest version of each entry', () => {
  const kept = Conversation.create('c-1', folder);
  const [you, test] = [kept.newId(), kept.newId()];
  kept.keep(you, { kind: 'you', text: 'two\nlines' });
  kept.keepPosition(0, true);
  kept.keep(test, { ...tool, outcome: 'running' });
  kept.keep(test, { ...tool, outcome: 'ok' });
  kept.keepPosition(1, false);
  const loaded = Conversation.load('c-1', folder);
  expect(loaded?.entries).toEqual([
    { id: you, entry: { kind: 'you', text: 'two\nlines' } },
    { id: test, entry: { ...tool, outcome: 'ok' } },
  ]);
  expect([loaded?.stepsPlayed, loaded?.wasCut, loaded?.newId()]).toEqual([1, false, 3]);
  expect(statSync(join(folder, 'c-1.jsonl')).mode & 0o777).toBe(0o600);
});

test('a process killed in the middle of a turn and of a line leaves a conversation to go on with', () => {
  const kept = Conversation.create('c-1', folder);
  kept.keepPosition(3, true);
  kept.keep(kept.newId(), { ...tool, outcome: 'running' });
  appendFileSync(join(folder, 'c-1.jsonl'), '{"at":1,"id":2,"entry":{"kind":"sa');
  const loaded = Conversation.load('c-1', folder);
  expect(loaded?.entries).toEqual([{ id: 1, entry: { ...tool, outcome: 'cut' } }]);
  expect([loaded?.stepsPlayed, loaded?.wasCut]).toEqual([3, true]);
  loaded?.keep(loaded.newId(), { kind: 'say', text: 'on' });
  expect(Conversation.load('c-1', folder)?.entries.at(-1)).toEqual({ id: 2, entry: { kind: 'say', text: 'on' } });
});

test('an unknown conversation is none, and without a folder nothing is written', () => {
  expect(Conversation.load('c-2', folder)).toBeNull();
  const loose = Conversation.create('c-3', null);
  loose.keep(loose.newId(), { kind: 'say', text: 'x' });
  expect(() => readFileSync(join(folder, 'c-3.jsonl'))).toThrow('ENOENT');
});
