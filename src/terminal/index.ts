/**
 * Terminals that outlive us: the holder (a separate process), the daemon's half that talks to holders, and screens.
 * Must never import the fleet, nor decide what a session's state means.
 */

export type { ChildEvents, ChildExit, ChildSpec, HolderChild, StartChild } from './holder/child.ts';
export { highestEpoch } from './holder/epoch-file.ts';
export { FakeChild, startFakeChild } from './holder/fake-child.ts';
export { type HolderConfig, holderDefaults } from './holder/holder-config.ts';
export {
  type ChannelListener,
  type ChannelPause,
  type ChannelSubscription,
  type ConnectOptions,
  errorCodeOfRefusal,
  HolderConnection,
  HolderError,
  type HolderRefusal,
  type HolderReply,
} from './holder-connection.ts';
export {
  type FoundHolders,
  HolderPool,
  type HolderPoolOptions,
  type LostHolder,
  type PlacedChannel,
  type PooledHolder,
} from './holder-pool.ts';
export { type HolderRegistration, type RegisteredChild, readRegistrations } from './holder-registry.ts';
export { type LogItem, type LogSummary, readLog, summarizeLog } from './log-reader.ts';
export { type ReapedChild, reapOrphans } from './reap-orphans.ts';
export type { ScreenEvent } from './screen/screen-events.ts';
export type { WatchedTerminal } from './screen/screen-messages.ts';
export { ScreenPool } from './screen/screen-pool.ts';
export { checkSocketPath } from './socket-path.ts';
export { canUseSystemdScope, type HolderProgram, systemdScope } from './start-holder.ts';
