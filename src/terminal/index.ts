/**
 * Terminals that outlive us: the holder (a separate process), the daemon's half that talks to holders, and screens.
 * Must never import the fleet, nor decide what a session's state means.
 */

export { highestEpoch } from './holder/epoch-file.ts';
export { FakeChild, startFakeChild } from './holder/fake-child.ts';
export { holderDefaults } from './holder/holder-config.ts';
export {
  type ChannelListener,
  type ChannelSubscription,
  HolderConnection,
  HolderError,
} from './holder-connection.ts';
export {
  type FoundHolders,
  HolderPool,
  type HolderPoolOptions,
  type LostHolder,
  type PlacedChannel,
  type PooledHolder,
} from './holder-pool.ts';
export { readRegistrations } from './holder-registry.ts';
export { readLog, summarizeLog } from './log-reader.ts';
export { reapOrphans } from './reap-orphans.ts';
export type { ScreenEvent } from './screen/screen-events.ts';
export type { WatchedTerminal } from './screen/screen-messages.ts';
export { ScreenPool } from './screen/screen-pool.ts';
export { checkSocketPath } from './socket-path.ts';
export { canUseSystemdScope, type HolderProgram, systemdScope } from './start-holder.ts';
