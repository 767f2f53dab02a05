import { expect, it } from 'vitest';
import { FleetStory } from '../../test/support/fleet-story.ts';
import { keyedDocuments, type Turn } from '../fleet/index.ts';
import type { KeyedDocument, StreamMessage } from '../protocol/index.ts';
import { Publisher } from './publisher.ts';

/** A story whose turns are shown in their order, when the test says so. */
function publishing() {
  const story = new FleetStory();
  const clock = { now: () => story.at, monotonic: () => story.at, after: () => ({ [Symbol.dispose]() {} }) };
  const publisher = new Publisher(clock, story.fleet.state);
  publisher.begin();
  const seen: StreamMessage[] = [];
  publisher.subscribe(null, (messages) => seen.push(...messages));
  const prepare = (turn: Turn) => {
    const drawing = publisher.prepare(turn.events);
    return () => publisher.publish(drawing, turn.rows);
  };
  const documents = () => byKey(publisher.snapshot().documents);
  const expected = () => byKey(keyedDocuments(story.fleet.state, story.at, null));
  return { story, publisher, prepare, documents, expected, seen };
}

function byKey(documents: readonly KeyedDocument[]): KeyedDocument[] {
  return documents.toSorted((a, b) => `${a.kind}/${a.key}`.localeCompare(`${b.kind}/${b.key}`));
}

function host(documents: readonly KeyedDocument[]): unknown {
  return documents.find(({ kind }) => kind === 'host')?.document;
}

it('shows what happened, once it is told to', () => {
  const { story, prepare, documents, expected } = publishing();
  const before = documents();
  const show = prepare(story.start(1));
  const held = documents();
  show();
  expect([held, documents()]).toEqual([before, expected()]);
});

it('trouble with the journal shows nothing of what is not on record', () => {
  const { story, publisher, prepare, documents } = publishing();
  const before = host(documents());
  prepare(story.start(1));
  publisher.setReadOnly('The disk is full');
  expect(host(documents())).toEqual({ ...(before as object), readOnly: 'The disk is full' });
});

it('trouble that is over stays over, whatever was drawn meanwhile', () => {
  const { story, publisher, prepare, documents, expected } = publishing();
  publisher.setReadOnly('The disk is full');
  const show = prepare(story.start(1));
  publisher.setReadOnly(null);
  show();
  expect(documents()).toEqual(expected());
});

it('a holder that falls silent is seen on each of its sessions', () => {
  const { story, prepare, documents, expected, seen } = publishing();
  for (const turn of [story.start(1), story.makeWorktree('s1'), story.makeProcess('s1')]) prepare(turn)();
  const before = seen.length;
  prepare(story.tell({ type: 'holder/seen', holder: 'h', pid: 10, alive: false }))();
  expect([documents(), seen.length - before]).toEqual([expected(), 1]);
});

it('a client that comes back gets what it missed, or is told to begin anew', () => {
  const { story, publisher, prepare } = publishing();
  const { seq } = publisher.snapshot();
  prepare(story.start(1))();
  const heard: StreamMessage[][] = [];
  for (const since of [seq, seq + 1, seq - 1_000_000, seq + 1_000]) {
    publisher.subscribe(since, (messages) => heard.push([...messages]))[Symbol.dispose]();
  }
  const now = publisher.snapshot().seq;
  expect(heard.map((messages) => messages.map((message) => ('reset' in message ? message : message.seq)))).toEqual([
    Array.from({ length: now - seq }, (_, n) => seq + 1 + n),
    Array.from({ length: now - seq - 1 }, (_, n) => seq + 2 + n),
    [{ seq: now, reset: true }],
    [{ seq: now, reset: true }],
  ]);
});

it('draws the queue again when its places or the slots change, and nothing for what no document tells', () => {
  const { story, prepare, documents, expected, seen } = publishing();
  for (const n of [1, 2, 3, 4, 5, 6]) prepare(story.start(n))();
  for (const session of ['s1', 's2']) {
    prepare(story.makeWorktree(session))();
    prepare(story.makeProcess(session))();
  }
  seen.length = 0;
  prepare(story.tell({ type: 'session/output', session: 's1', incarnation: 1, head: 100 }))();
  prepare(story.say('s1', { state: 'working' }))();
  const quiet = seen.length;
  prepare(story.exit('s1', 0))();
  expect([quiet, documents(), documents().filter(({ kind }) => kind === 'queued').length]).toEqual([1, expected(), 1]);
});
