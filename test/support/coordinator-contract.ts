import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { Claim, Coordinator } from '../../src/fleet/index.ts';

/** What an implementation gives the contract to be tried with. Each case gets one of its own. */
export interface ContractHost {
  coordinator: Coordinator;
  /** From now on this owner counts as gone, by whatever means the implementation notices it. */
  lose(owner: string): Promise<void>;
  /** Lets this much time pass on the clock that the coordinator was given. */
  pass(ms: number): Promise<void>;
  /** Flips one bit of a stored blob. */
  damageBlob(sha256: string): Promise<void>;
}

export interface ContractCase {
  name: string;
  run(host: ContractHost): Promise<void>;
}

/**
 * What every coordinator must do, the local one and any networked one. Run each case as a test of its own; it throws
 * when the promise is broken.
 */
export const coordinatorContract: readonly ContractCase[] = [
  {
    name: '64 racing claims on one task have one winner',
    async run({ coordinator }) {
      await coordinator.enqueue('t_race', 'p');
      const claims = await Promise.all(range(64).map((n) => coordinator.claim('p', `o${n}`)));
      equal(claims.filter((claim) => claim !== null).length, 1);
    },
  },
  {
    name: '64 racing claims on 64 tasks take each once, in the order they were enqueued',
    async run({ coordinator }) {
      for (const n of range(64)) await coordinator.enqueue(`t_${n}`, 'p');
      const claims = await Promise.all(range(65).map((n) => coordinator.claim('p', `o${n}`)));
      deepEqual(
        claims.map((claim) => claim?.task ?? null),
        [...range(64).map((n) => `t_${n}`), null],
      );
    },
  },
  {
    name: 'a pool gives only its own tasks',
    async run({ coordinator }) {
      await coordinator.enqueue('t_one', 'p');
      equal(await coordinator.claim('q', 'o'), null);
      deepEqual(await coordinator.claim('p', 'o'), { task: 't_one', owner: 'o', token: 1 });
    },
  },
  {
    name: 'enqueueing a known task changes nothing, whatever became of it',
    async run({ coordinator }) {
      await coordinator.enqueue('t_one', 'p');
      await coordinator.enqueue('t_one', 'p');
      const claim = await claimed(coordinator, 'p', 'o');
      await coordinator.enqueue('t_one', 'p');
      equal(await coordinator.claim('p', 'other'), null);
      equal(await coordinator.commit(claim), true);
      await coordinator.enqueue('t_one', 'p');
      equal(await coordinator.claim('p', 'other'), null);
    },
  },
  {
    name: 'done is final',
    async run({ coordinator, lose }) {
      await coordinator.enqueue('t_one', 'p');
      const claim = await claimed(coordinator, 'p', 'o');
      equal(await coordinator.commit(claim), true);
      deepEqual(await answers(coordinator, claim), { renew: false, commit: false, release: false });
      await lose('o');
      equal(await coordinator.claim('p', 'other'), null);
    },
  },
  {
    name: 'a released task is claimed again under a higher token',
    async run({ coordinator }) {
      await coordinator.enqueue('t_one', 'p');
      const first = await claimed(coordinator, 'p', 'o');
      equal(await coordinator.release(first), true);
      const second = await claimed(coordinator, 'p', 'other');
      ok(second.token > first.token);
      deepEqual(await answers(coordinator, first), { renew: false, commit: false, release: false });
      equal(await coordinator.renew(second), true);
    },
  },
  {
    name: 'a task is taken over from an owner that is gone, and from no other',
    async run({ coordinator, lose }) {
      await coordinator.enqueue('t_one', 'p');
      const first = await claimed(coordinator, 'p', 'o');
      equal(await coordinator.claim('p', 'other'), null);
      await lose('o');
      const second = await claimed(coordinator, 'p', 'other');
      equal(second.task, 't_one');
      ok(second.token > first.token);
      deepEqual(await answers(coordinator, first), { renew: false, commit: false, release: false });
      equal(await coordinator.commit(second), true);
    },
  },
  {
    name: '64 racing take-overs have one winner',
    async run({ coordinator, lose }) {
      await coordinator.enqueue('t_one', 'p');
      await claimed(coordinator, 'p', 'o');
      await lose('o');
      const claims = await Promise.all(range(64).map((n) => coordinator.claim('p', `o${n}`)));
      equal(claims.filter((claim) => claim !== null).length, 1);
    },
  },
  {
    name: 'a right token in the wrong hands counts for nothing',
    async run({ coordinator }) {
      await coordinator.enqueue('t_one', 'p');
      const claim = await claimed(coordinator, 'p', 'o');
      const stolen = { ...claim, owner: 'thief' };
      deepEqual(await answers(coordinator, stolen), { renew: false, commit: false, release: false });
      equal(await coordinator.commit(claim), true);
    },
  },
  {
    name: 'a task nobody enqueued can be neither renewed nor committed',
    async run({ coordinator }) {
      const claim = { task: 't_none', owner: 'o', token: 1 };
      deepEqual(await answers(coordinator, claim), { renew: false, commit: false, release: false });
    },
  },
  {
    name: 'of 64 who want a seat one gets it',
    async run({ coordinator }) {
      const leases = await Promise.all(range(64).map((n) => coordinator.lease('cron', `o${n}`)));
      equal(leases.filter((lease) => lease !== null).length, 1);
    },
  },
  {
    name: 'a seat is free again when its lease ends, and its token grows',
    async run({ coordinator }) {
      const first = await coordinator.lease('cron', 'o');
      ok(first);
      equal(await coordinator.lease('cron', 'other'), null);
      await first[Symbol.asyncDispose]();
      const second = await coordinator.lease('cron', 'other');
      ok(second && second.token > first.token);
      await first[Symbol.asyncDispose]();
      equal(await coordinator.lease('cron', 'third'), null);
    },
  },
  {
    name: 'a seat is taken over from a holder that is gone',
    async run({ coordinator, lose }) {
      const first = await coordinator.lease('cron', 'o');
      await lose('o');
      const second = await coordinator.lease('cron', 'other');
      ok(first && second && second.token > first.token);
    },
  },
  {
    name: 'a watcher sees the present owners and each change',
    async run({ coordinator }) {
      const seen: (readonly Claim[])[] = [];
      const sight = sightOf(seen);
      using _watching = coordinator.watch('p', sight.see);
      await sight.until(() => seen.length === 1);
      await coordinator.enqueue('t_one', 'p');
      const claim = await claimed(coordinator, 'p', 'o');
      await sight.until(() => seen.at(-1)?.length === 1);
      deepEqual(seen.at(-1), [claim]);
      await coordinator.commit(claim);
      await sight.until(() => seen.at(-1)?.length === 0);
    },
  },
  {
    name: 'a published message reaches every subscriber of its subject, in order, and nobody after the end',
    async run({ coordinator }) {
      const seen: string[] = [];
      const sight = sightOf(seen);
      const read = (who: string) => (message: Uint8Array) => sight.see(`${who}${message[0]}`);
      const one = coordinator.subscribe('s', read('a'));
      using _other = coordinator.subscribe('s', read('b'));
      using _elsewhere = coordinator.subscribe('elsewhere', read('c'));
      for (const n of [1, 2]) await coordinator.publish('s', Uint8Array.of(n));
      await sight.until(() => seen.length === 4);
      one[Symbol.dispose]();
      await coordinator.publish('s', Uint8Array.of(3));
      await sight.until(() => seen.length === 5);
      deepEqual(
        ['a', 'b'].map((who) => seen.filter((text) => text.startsWith(who))),
        [
          ['a1', 'a2'],
          ['b1', 'b2', 'b3'],
        ],
      );
    },
  },
  {
    name: 'a request is answered by who serves it',
    async run({ coordinator }) {
      using _serving = coordinator.serve('double', async (request) => Uint8Array.of(2 * (request[0] ?? 0)));
      deepEqual([...(await coordinator.rpc('double', Uint8Array.of(21), 1_000))], [42]);
    },
  },
  {
    name: 'a request that nobody serves, or that fails, is rejected',
    async run({ coordinator }) {
      await rejects(coordinator.rpc('none', new Uint8Array(), 1_000), { code: 'rpc/unserved' });
      using _serving = coordinator.serve('fail', () => Promise.reject(new Error('no')));
      await rejects(coordinator.rpc('fail', new Uint8Array(), 1_000), { code: 'rpc/failed' });
    },
  },
  {
    name: 'a request that is not answered in time is rejected at its deadline',
    async run({ coordinator, pass }) {
      using _serving = coordinator.serve('slow', () => new Promise(() => {}));
      const late = rejects(coordinator.rpc('slow', new Uint8Array(), 1_000), { code: 'rpc/deadline' });
      await pass(1_000);
      await late;
    },
  },
  {
    name: 'a blob comes back as it was put, under the hash of its bytes',
    async run({ coordinator }) {
      const bytes = Uint8Array.from(range(100_000), (n) => n * 7);
      const names = await Promise.all([coordinator.putBlob(bytes), coordinator.putBlob(bytes)]);
      equal(names[0], names[1]);
      deepEqual(await coordinator.getBlob(names[0]), Buffer.from(bytes));
      equal(await coordinator.putBlob(new Uint8Array()), emptySha256);
      equal((await coordinator.getBlob(emptySha256))?.length, 0);
    },
  },
  {
    name: 'a blob that was never put is not there, whatever the name',
    async run({ coordinator }) {
      for (const name of ['0'.repeat(64), '../journal.db', '', 'x\0y', `${'0'.repeat(63)}/`])
        equal(await coordinator.getBlob(name), null);
    },
  },
  {
    name: 'a damaged blob is never handed out, and putting it again heals it',
    async run({ coordinator, damageBlob }) {
      const bytes = Buffer.from('a bundle');
      const name = await coordinator.putBlob(bytes);
      await damageBlob(name);
      await rejects(coordinator.getBlob(name), { code: 'blob/damaged' });
      await coordinator.putBlob(bytes);
      deepEqual(await coordinator.getBlob(name), bytes);
    },
  },
];

const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

async function claimed(coordinator: Coordinator, pool: string, owner: string): Promise<Claim> {
  const claim = await coordinator.claim(pool, owner);
  ok(claim, `${owner} should have got a task`);
  return claim;
}

async function answers(coordinator: Coordinator, claim: Claim) {
  return {
    renew: await coordinator.renew(claim),
    commit: await coordinator.commit(claim),
    release: await coordinator.release(claim),
  };
}

/** Collects what a listener is told and lets a case wait for it. */
function sightOf<T>(seen: T[]) {
  let wake = () => {};
  return {
    see(value: T) {
      seen.push(value);
      wake();
    },
    async until(isSeen: () => boolean): Promise<void> {
      while (!isSeen()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
