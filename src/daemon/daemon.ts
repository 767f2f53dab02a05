import { uptime } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createAgents } from '../agents/index.ts';
import type { Refusal } from '../base/index.ts';
import { emptyFleet, evolve, Fleet, type FleetState, type OpenedJournal, readSnapshot } from '../fleet/index.ts';
import { createGit, createScriptRunner, TrustStore } from '../git/index.ts';
import { type ErrorCode, layOutHome } from '../protocol/index.ts';
import { serve } from '../server/index.ts';
import { backupJournal, openJournal } from '../store/index.ts';
import { CheckpointSchedule } from './checkpoint-schedule.ts';
import { Demo } from './demo.ts';
import { Doctor } from './doctor.ts';
import type { Entries } from './entries.ts';
import { createEnvironmentStore } from './environment-store.ts';
import { EventLoop } from './event-loop.ts';
import { stderrLog } from './file-log.ts';
import { FleetApi } from './fleet-api.ts';
import { FootprintMeter } from './footprint-meter.ts';
import { prepareHome } from './home.ts';
import { Launches } from './launches.ts';
import { loadConfig } from './load-config.ts';
import { lockHome } from './lock.ts';
import { createMachineProbe } from './machine-probe.ts';
import { bootId } from './process-facts.ts';
import { Publisher } from './publisher.ts';
import { readOnlyJournal } from './read-only-journal.ts';
import { realClock, realRandom } from './real-ports.ts';
import { createEffectRunner } from './run-effects.ts';
import { SignalRouter } from './signal-router.ts';
import { StartRecord } from './start-record.ts';
import { steadyClock } from './steady-clock.ts';
import { Terminals, type TerminalsOptions } from './terminals.ts';
import { Workspaces } from './workspaces.ts';

export interface DaemonOptions {
  env: Readonly<Record<string, string>>;
  uid: number;
  version: string;
  entries: Entries;
  /** The daemon wants to end: asked to, or superseded by a later one. */
  onEnd(reason: string): void;
}

export interface Daemon extends AsyncDisposable {
  epoch: number;
}

/**
 * Wires the house, in the order things start: home, settings, lock, journal, state, holders, loop, recovery, edge.
 * Everything registered is closed in reverse by disposing; sessions live on in their holders.
 */
export async function startDaemon(options: DaemonOptions): Promise<{ ok: true; value: Daemon } | Refusal<ErrorCode>> {
  const { env, uid, version, entries } = options;
  const startedAt = realClock.now();

  const home = layOutHome(env, uid);
  const prepared = prepareHome(home, uid);
  if (!prepared.ok) return prepared;
  const settings = loadConfig(home.configFile, env);
  if (!settings.ok) return settings;
  const { config } = settings.value;

  await using stack = new AsyncDisposableStack();
  const lock = lockHome(home.daemonFile);
  if (!lock.ok) return lock;
  stack.use(lock.value);
  const starts = new StartRecord(home.startsFile);
  const keepsCrashing = starts.begin(startedAt);

  const opened = await openJournal({ path: home.journal, workerEntry: entries.journalWorker, clock: realClock });
  stack.use(opened.journal);
  const state = rebuild(opened);
  const trouble = troubleOf(opened, keepsCrashing);
  const journal = trouble === null ? opened.journal : readOnlyJournal(opened.journal);
  const fleet = new Fleet(state);
  const clock = steadyClock(realClock, state.at);
  const ports = { clock, random: realRandom, log: stderrLog };
  const { random, log } = ports;

  const git = createGit({ env, clock });
  const agents = createAgents({ demo: { nodePath: process.execPath, entry: fileURLToPath(entries.demoAgent) } });
  const environments = createEnvironmentStore(home);
  const probe = createMachineProbe(env);
  const publisher = new Publisher(clock, state);
  const report: EventLoop['report'] = (input) => loop.report(input);
  const signals = stack.use(new SignalRouter(ports, { state, agents, report }));
  const workspaces = new Workspaces({
    home,
    git,
    clock,
    state,
    trust: new TrustStore(home.trustFile),
    environments,
    runScript: createScriptRunner(clock),
  });
  const drive: TerminalsOptions['drive'] = async (session, device, from, take) =>
    (await loop.submit({ type: 'session/drive', at: clock.now(), session, device, from, take })).refusal === null;
  const onFenced = (message: string) => options.onEnd(message);
  const terminals = stack.use(
    new Terminals(ports, { home, config, entries, state, signals, version, env, report, drive, onFenced }),
  );
  const launches = new Launches({ home, clock, random, state, agents, environments, probe, terminals });
  /** A full disk must not keep the daemon from serving: what is not durable yet is neither done nor shown. */
  const heldUp = Promise.withResolvers<void>();
  const loop = stack.use(
    new EventLoop(ports, {
      fleet,
      journal,
      run: createEffectRunner({ state, clock, log, workspaces, launches, terminals, report }),
      prepare: ({ events, rows }) => {
        const drawing = publisher.prepare(events);
        return () => {
          publisher.publish(drawing, rows);
          for (const event of events) if (event.type === 'driver.changed') terminals.driverChanged(event.session);
        };
      },
      onTrouble: (message) => {
        publisher.setReadOnly(message);
        if (message !== null) heldUp.resolve();
      },
      onFenced,
    }),
  );

  const found = await terminals.findHolders(Math.max(opened.epoch, state.epoch) + 1);
  const boot = bootId(uptime() * 1000, clock.now());
  if (trouble === null) {
    const at = clock.now();
    const { epoch, channels } = found;
    const recovered = [
      loop.submit({ type: 'daemon/started', at, epoch, pid: process.pid, version, bootId: boot, slots: config.slots }),
      loop.submit({ type: 'recovery/inventory', at, channels, bootId: boot }),
    ];
    await Promise.race([Promise.all(recovered), heldUp.promise]);
  } else {
    publisher.setReadOnly(trouble);
  }
  terminals.watchAll();
  publisher.begin();

  const doctor = new Doctor({
    home,
    probe,
    publisher,
    terminals,
    journalTrouble: opened.condition.kind === 'sound' ? null : opened.condition.message,
  });
  const demo = new Demo({ home, state });
  const stop = () => options.onEnd('asked to');
  const facts = { version, home: home.state, startedAt };
  const api = new FleetApi({
    state,
    loop,
    journal,
    publisher,
    clock,
    random,
    config,
    agents,
    environments,
    launches,
    workspaces,
    terminals,
    demo,
    doctor,
    facts,
    stop,
  });
  stack.use(await serve({ fleet: api, terminals, log }, home.socket));
  starts.served();
  stack.use(new FootprintMeter(ports, { state, report }));
  const copy = (number: number) =>
    backupJournal({ path: home.journal, workerEntry: entries.journalWorker, to: home.journalCopies[number] ?? '' });
  stack.use(new CheckpointSchedule(ports, { state, journal, loop, starts, copy }));

  const open = stack.move();
  return {
    ok: true,
    value: {
      epoch: state.epoch,
      async [Symbol.asyncDispose]() {
        if (trouble === null && !loop.isHeldUp) await loop.submit({ type: 'daemon/stopping', at: clock.now() });
        starts.clear();
        await open.disposeAsync();
      },
    },
  };
}

/** The state as the journal tells it: the newest usable snapshot, then every row after it. */
function rebuild(opened: OpenedJournal): FleetState {
  const kept = opened.snapshot === null ? null : readSnapshot(opened.snapshot.state);
  const state = kept ?? emptyFleet('local');
  for (const row of opened.rows) if (row.seq > state.seq) evolve(state, row.event, row.at);
  return state;
}

/** Why this daemon must not write, or null. */
function troubleOf(opened: OpenedJournal, keepsCrashing: boolean): string | null {
  if (opened.condition.kind !== 'sound') return opened.condition.message;
  return keepsCrashing
    ? 'it crashed three times within a minute; look into the daemon log, then run concert down and concert up'
    : null;
}
