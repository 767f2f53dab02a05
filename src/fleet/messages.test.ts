import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';
import type { Effect, Turn } from './index.ts';
import { messagesMax } from './state.ts';

function send(story: FleetStory, message: string, now = false): Turn {
  return story.tell({ type: 'session/send', session: 's1', message, text: `text of ${message}`, now });
}

function typed(turn: Turn): string[] {
  return turn.effects.flatMap((effect: Effect) => (effect.type === 'message/type' ? [effect.message] : []));
}

it('a message begins a turn, and the one after it waits for its end', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  send(story, 'a');
  send(story, 'b');
  const atRest = story.say('s1', { state: 'review' });
  const { state, evidence } = story.session('s1');
  const working = story.say('s1', { state: 'working' });
  const again = story.say('s1', { state: 'review' });
  expect([gist(atRest), [state, evidence.confidence], [atRest, working, again].map(typed)]).toEqual([
    {
      events: ['session.stateChanged review', 'message.sent', 'session.stateChanged working'],
      effects: ['message/type'],
      refusal: null,
    },
    ['working', 'likely'],
    [['a'], [], ['b']],
  ]);
});

it('a message that steers goes out mid-turn, before those that wait, in the order they were given', () => {
  const story = new FleetStory();
  story.run(1, 'blocked');
  send(story, 'later');
  send(story, 'first', true);
  send(story, 'second', true);
  const waiting = story.session('s1').messages.map(({ id }) => id);
  expect([waiting, typed(story.say('s1', { state: 'working' }))]).toEqual([
    ['first', 'second', 'later'],
    ['first', 'second'],
  ]);
});

it.each(['blocked', 'unknown', 'parked', 'failed'] as const)('nothing is typed into an agent that is %s', (state) => {
  const story = new FleetStory();
  story.run(1, state);
  expect(typed(send(story, 'a', true))).toEqual([]);
});

it('nor into a command that asks something', () => {
  const story = new FleetStory();
  story.run(1, 'blocked', { can: { prompt: false, resume: false } });
  const [asking, asked] = [typed(send(story, 'a')), typed(story.say('s1', { state: 'working' }))];
  expect([asking, asked]).toEqual([[], ['a']]);
});

it('nor into a pause or an ending process', () => {
  const story = new FleetStory();
  story.run(1, 'ready');
  story.tell({ type: 'session/pause', session: 's1' });
  const paused = typed(send(story, 'a'));
  story.tell({ type: 'session/stop', session: 's1' });
  expect([paused, typed(story.tell({ type: 'session/resume', session: 's1' }))]).toEqual([[], []]);
});

it('the first prompt comes before what was sent while the agent booted', () => {
  const story = new FleetStory();
  story.start(1);
  story.makeWorktree('s1');
  send(story, 'steering', true);
  const { incarnation } = story.session('s1');
  const process = { holder: 'h', holderPid: 1, channel: 1, pid: 2, conversation: null };
  const prompt = { message: 'prompt', text: 'Fix the login' };
  story.tell({ type: 'process/started', session: 's1', incarnation, process, prompt });
  expect([story.session('s1').messages.map(({ id }) => id), typed(story.say('s1', { state: 'ready' }))]).toEqual([
    ['prompt', 'steering'],
    ['prompt', 'steering'],
  ]);
});

it('what could not be typed waits in its place, as it was', () => {
  const story = new FleetStory();
  story.run(1, 'ready');
  send(story, 'a');
  send(story, 'b', true);
  const failed = {
    type: 'message/failed',
    session: 's1',
    incarnation: 1,
    message: 'a',
    text: 'text of a',
    steer: false,
  } as const;
  const turns = [story.tell(failed), story.tell(failed)].map(gist);
  expect([turns, story.session('s1').messages]).toEqual([
    [
      { events: ['message.queued', 'session.stateChanged unknown'], effects: [], refusal: null },
      { events: [], effects: [], refusal: null },
    ],
    [{ id: 'a', text: 'text of a', steer: false }],
  ]);
});

it('a daemon that ends while a message is on its way leaves a question, not a claim', () => {
  const story = new FleetStory();
  story.run(1, 'ready');
  send(story, 'a');
  story.begin();
  const found = story.look([{ session: 's1', incarnation: 1, holder: 'h', pid: 101, exit: null }]);
  expect(gist(found)).toEqual({
    events: ['session.adopted', 'session.stateChanged unknown', 'recovery.finished'],
    effects: [],
    refusal: null,
  });
});

it('what an earlier process could not take says nothing about the present one', () => {
  const story = new FleetStory();
  story.run(1, 'ready');
  send(story, 'a');
  story.exit('s1', 1);
  story.tell({ type: 'session/resume', session: 's1' });
  story.makeProcess('s1');
  story.say('s1', { state: 'working' });
  const failed = { session: 's1', incarnation: 1, message: 'a', text: 'text of a', steer: false } as const;
  expect([gist(story.tell({ type: 'message/failed', ...failed })).events, story.session('s1').messages.length]).toEqual(
    [['message.queued'], 1],
  );
});

it('no more wait than anybody would read the answers of', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  for (let n = 0; n < messagesMax; n++) send(story, `m${n}`);
  expect([gist(send(story, 'one more')).refusal, story.session('s1').messages.length]).toEqual([
    'daemon/overloaded',
    messagesMax,
  ]);
});
