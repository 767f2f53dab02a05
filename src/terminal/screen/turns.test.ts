import { expect, test } from 'vitest';
import { type Turn, Turns } from './turns.ts';

/** Does so many steps, each of about so many ms, and says its name at each. */
function worker(name: string, steps: number, ms: number, said: string[]): Turn {
  let left = steps;
  return {
    take() {
      const until = performance.now() + ms;
      while (performance.now() < until);
      said.push(name);
      return --left > 0;
    },
  };
}

function setUp() {
  const deferred: (() => void)[] = [];
  const said: string[] = [];
  return { deferred, said, turns: new Turns((run) => deferred.push(run)) };
}

test('who comes alone is served at once', () => {
  const { deferred, said, turns } = setUp();
  turns.add(worker('a', 2, 0, said));
  turns.add(worker('b', 1, 0, said));
  expect({ said, deferred }).toEqual({ said: ['a', 'a', 'b'], deferred: [] });
});

test('who has much to do lets others in between, and other events too', () => {
  const { deferred, said, turns } = setUp();
  turns.add(worker('slow', 5, 12, said));
  expect([said.splice(0), deferred.length]).toEqual([['slow'], 1]);
  turns.add(worker('quick', 1, 0, said));
  expect(said).toEqual([]);
  for (let run = deferred.shift(); run !== undefined; run = deferred.shift()) run();
  expect(said).toEqual(['slow', 'quick', 'slow', 'slow', 'slow']);
});

test('who is taken out gets no more turns', () => {
  const { deferred, said, turns } = setUp();
  const slow = worker('slow', 5, 12, said);
  turns.add(slow);
  turns.remove(slow);
  for (let run = deferred.shift(); run !== undefined; run = deferred.shift()) run();
  expect(said).toEqual(['slow']);
});
