import { expect, it } from 'vitest';
import { FleetStory, storyStart } from '../../test/support/fleet-story.ts';
import { ExplainDocument, HostDocument, KeyedDocument, type SessionDocument } from '../protocol/index.ts';
import { explainDocument, hostDocument, keyedDocuments, sessionDocument } from './index.ts';

const began = new Date(storyStart).toISOString();

function documentOf(story: FleetStory, session = 's1'): SessionDocument {
  return sessionDocument(story.fleet.state, story.session(session), story.at);
}

it('a session, a waiting task and the host as the outside sees them', () => {
  const story = new FleetStory({ slots: 1 });
  story.run(1, 'review', { tab: 3 });
  story.start(2, { priority: 'later', title: 'Docs' });
  story.wait(90_000);
  expect(keyedDocuments(story.fleet.state, story.at, 'The disk is full')).toEqual([
    {
      kind: 'host',
      key: 'host',
      document: {
        host: 'host',
        slots: { used: 1, total: 1 },
        epoch: 1,
        readOnly: 'The disk is full',
        recovery: { adopted: [], ended: [], lost: [], relaunched: [], strangers: [] },
      },
    },
    {
      kind: 'session',
      key: 's1',
      document: {
        id: 's1',
        name: 'fix-login',
        tab: 3,
        task: 't1',
        title: 'Fix login',
        agent: 'demo',
        project: 'repo',
        branch: 'concert/s1',
        worktree: '/w/s1',
        state: 'review',
        deep: false,
        stateSource: 'osc7501',
        confidence: 'sure',
        stateSince: began,
        why: 'finished its turn',
        liveness: { holder: 'alive', process: 'alive', host: 'alive' },
        pid: 101,
        holderPid: 10,
        incarnation: 1,
        ask: null,
        waitSec: 90,
        footprintMiB: null,
        simulated: true,
        messages: 0,
        paused: false,
        canResume: false,
        exitCode: null,
        driver: null,
        terminalPaused: null,
        notes: [],
        createdAt: began,
      },
    },
    {
      kind: 'queued',
      key: 't2',
      document: {
        task: 't2',
        title: 'Docs',
        priority: 'later',
        needs: 'a free slot (1 of 1 in use)',
        position: 1,
        agent: 'demo',
        project: 'repo',
      },
    },
  ]);
});

it('every document fits its public shape', () => {
  const story = new FleetStory({ slots: 2 });
  story.run(1, 'working');
  story.exit('s1', 1);
  story.start(2);
  for (const n of [3, 4]) story.start(n);
  for (const keyed of keyedDocuments(story.fleet.state, story.at, null))
    expect(KeyedDocument.parse(keyed)).toEqual(keyed);
  const explained = explainDocument(story.session('s1'), [{ source: 'osc7501', reports: ['any → working'] }]);
  expect(ExplainDocument.parse(explained)).toEqual(explained);
  const host = hostDocument(story.fleet.state, null);
  expect(HostDocument.parse(host)).toEqual(host);
});

it('says why a session is as it is, the nearest cause first', () => {
  const story = new FleetStory();
  story.run(1, 'blocked');
  const why = [documentOf(story).why];
  story.wait(1).say('s1', { state: 'working', detail: 'Edits the parser' });
  why.push(documentOf(story).why);
  story.tell({ type: 'session/stop', session: 's1' });
  why.push(documentOf(story).why);
  const held = { session: 's1', incarnation: 1, reason: 'disk-full', message: 'The disk is full' };
  story.tell({ type: 'session/terminal-paused', ...held });
  why.push(documentOf(story).why);
  story.exit('s1', 3);
  why.push(documentOf(story).why);
  expect(why).toEqual([
    'waits for your answer',
    'Edits the parser',
    'is stopping',
    'The disk is full',
    'Ended with exit code 3',
  ]);
});

it('liveness is told apart from the state', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'holder/seen', holder: 'h', pid: 10, alive: false });
  const silent = documentOf(story).liveness;
  story.tell({ type: 'process/lost', session: 's1', incarnation: 1, cause: 'holder-gone' });
  const { liveness, canResume, state, pid } = documentOf(story);
  expect([silent, { liveness, canResume, state, pid }]).toEqual([
    { holder: 'silent', process: 'alive', host: 'alive' },
    { liveness: { holder: 'gone', process: 'gone', host: 'alive' }, canResume: true, state: 'lost', pid: null },
  ]);
});

it('explains by the evidence, newest first', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.wait(1_000).say('s1', { state: 'blocked', detail: 'May I?' });
  const { because, evidence, state } = explainDocument(story.session('s1'), []);
  const asked = {
    source: 'osc7501',
    signal: 'status',
    at: new Date(storyStart + 1_000).toISOString(),
    confidence: 'sure',
    state: 'blocked',
    detail: 'May I?',
  };
  expect([state, because, evidence.map(({ state: each }) => each)]).toEqual([
    'blocked',
    asked,
    ['blocked', 'working', 'starting', 'starting', 'starting'],
  ]);
});
