import { type Clock, type Log, unreachable } from '../base/index.ts';
import type { Effect, FleetState, Input } from '../fleet/index.ts';
import type { Launches } from './launches.ts';
import type { Terminals } from './terminals.ts';
import type { Workspaces } from './workspaces.ts';

export interface EffectRunner {
  state: FleetState;
  clock: Clock;
  log: Log;
  workspaces: Workspaces;
  launches: Launches;
  terminals: Terminals;
  report(input: Input): void;
}

/**
 * Makes effects real and hands their outcome back as reports. Each may run twice after a crash, so everything it calls
 * recognises work already done: a worktree that is there, a process that a holder already has.
 */
export function createEffectRunner(runner: EffectRunner): (effect: Effect) => void {
  return (effect) => {
    perform(runner, effect).catch((error: Error) => {
      runner.log.error('An effect failed', { effect: effect.type, session: effect.session, error: error.stack });
      const report = reportOfFailure(effect, error, runner.clock.now());
      if (report !== null) runner.report(report);
    });
  };
}

async function perform(
  { state, clock, workspaces, launches, terminals, report }: EffectRunner,
  effect: Effect,
): Promise<void> {
  const session = state.sessions.get(effect.session);
  const at = () => clock.now();
  switch (effect.type) {
    case 'worktree/create': {
      if (session === undefined) return;
      const made = await workspaces.create(session);
      if (made.ok) report({ type: 'worktree/created', at: at(), session: session.id, worktree: made.value });
      else report({ type: 'worktree/failed', at: at(), session: session.id, code: made.code, message: made.message });
      return;
    }
    case 'session/launch': {
      if (session === undefined) return;
      const { incarnation, resume } = effect;
      const started = await launches.start(session, incarnation, resume);
      if (started.ok) report({ type: 'process/started', at: at(), session: session.id, incarnation, ...started.value });
      else
        report({
          type: 'process/failed',
          at: at(),
          session: session.id,
          incarnation,
          code: started.code,
          message: started.message,
        });
      return;
    }
    case 'process/signal':
      return await terminals.signal(effect.session, effect.incarnation, effect.signal);
    case 'message/type': {
      if (session === undefined) return;
      const typed = await launches.type(session, effect.incarnation, effect.text);
      if (!typed)
        report({
          type: 'message/failed',
          at: at(),
          session: effect.session,
          incarnation: effect.incarnation,
          message: effect.message,
          text: effect.text,
          steer: effect.steer,
        });
      return;
    }
    case 'worktree/remove': {
      if (session === undefined) return;
      const removed = await workspaces.remove(session, effect.force, at());
      if (removed.ok) report({ type: 'worktree/removed', at: at(), session: session.id, backupRef: removed.value });
      else report({ type: 'worktree/kept', at: at(), session: session.id, message: removed.message });
      return;
    }
    case 'session/forget':
      await terminals.forget(effect.session);
      launches.forget(effect.session);
      return workspaces.discardFolder(effect.session, at());
    default:
      unreachable(effect, 'Unknown effect');
  }
}

/** What the fleet must hear when an effect broke in a way nobody foresaw; null where it would learn nothing from it. */
function reportOfFailure(effect: Effect, error: Error, at: number): Input | null {
  const message = `Could not ${effect.type.replace('/', ' ')}: ${error.message}`;
  switch (effect.type) {
    case 'worktree/create':
      return { type: 'worktree/failed', at, session: effect.session, code: 'daemon/internal', message };
    case 'session/launch':
      return {
        type: 'process/failed',
        at,
        session: effect.session,
        incarnation: effect.incarnation,
        code: 'daemon/internal',
        message,
      };
    case 'worktree/remove':
      return { type: 'worktree/kept', at, session: effect.session, message };
    case 'message/type':
      return {
        type: 'message/failed',
        at,
        session: effect.session,
        incarnation: effect.incarnation,
        message: effect.message,
        text: effect.text,
        steer: effect.steer,
      };
    case 'process/signal':
    case 'session/forget':
      return null;
    default:
      return unreachable(effect, 'Unknown effect');
  }
}
