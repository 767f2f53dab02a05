import { FrameType, type HolderHello } from '../../protocol/index.ts';

const terminal = [
  FrameType.subscribe,
  FrameType.unsubscribe,
  FrameType.credit,
  FrameType.input,
  FrameType.resize,
] as const;

const screen = [
  FrameType.subscribe,
  FrameType.unsubscribe,
  FrameType.credit,
  FrameType.answer,
  FrameType.retain,
  FrameType.list,
] as const;

const daemon = [
  ...screen,
  FrameType.input,
  FrameType.resize,
  FrameType.start,
  FrameType.signal,
  FrameType.grant,
  FrameType.revoke,
  FrameType.close,
  FrameType.shutdown,
] as const;

const sets: Record<HolderHello['role'], ReadonlySet<number>> = {
  terminal: new Set(terminal),
  screen: new Set(screen),
  daemon: new Set(daemon),
};

/** Whether a role may send such a frame after its hello, or nobody may because this version knows none. */
export function rightTo(role: HolderHello['role'], type: number): 'allowed' | 'forbidden' | 'unknown' {
  if (sets[role].has(type)) return 'allowed';
  return sets.daemon.has(type) ? 'forbidden' : 'unknown';
}
