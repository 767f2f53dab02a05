import * as z from 'zod';
import { Confidence, Priority, SessionState, StateSource } from './states.ts';

/**
 * The public documents: what `--json` prints and the API answers. Within a version fields are only added. Times are ISO
 * in UTC and end in `At` or are named `…Since`; durations are whole seconds and end in `Sec`.
 */
const Liveness = z.enum(['alive', 'gone', 'silent']);
const Time = z.iso.datetime();

export const EvidenceDocument = z.object({
  source: StateSource,
  signal: z.string(),
  at: Time,
  confidence: Confidence,
  state: SessionState.nullable(),
  detail: z.string().nullable(),
});
export type EvidenceDocument = z.infer<typeof EvidenceDocument>;

export const SessionDocument = z.object({
  id: z.string(),
  name: z.string(),
  tab: z.number().int().min(1).max(9).nullable(),
  task: z.string(),
  title: z.string(),
  agent: z.string(),
  project: z.string(),
  branch: z.string().nullable(),
  worktree: z.string().nullable(),
  state: SessionState,
  deep: z.boolean(),
  stateSource: StateSource,
  confidence: Confidence,
  stateSince: Time,
  /** One sentence under the name: what it does, asks or waits for. */
  why: z.string(),
  liveness: z.object({ holder: Liveness, process: Liveness, host: Liveness }),
  pid: z.number().int().nullable(),
  holderPid: z.number().int().nullable(),
  incarnation: z.number().int(),
  /** The open ask, once asks exist for this agent. */
  ask: z.string().nullable(),
  /** How long it has waited for a person; 0 when it does not. */
  waitSec: z.number().int(),
  footprintMiB: z.number().nullable(),
  simulated: z.boolean(),
  /** Messages that wait for the end of the turn. */
  messages: z.number().int(),
  paused: z.boolean(),
  canResume: z.boolean(),
  exitCode: z.number().int().nullable(),
  driver: z.string().nullable(),
  terminalPaused: z.string().nullable(),
  notes: z.array(z.string()),
  createdAt: Time,
});
export type SessionDocument = z.infer<typeof SessionDocument>;

export const QueuedDocument = z.object({
  task: z.string(),
  title: z.string(),
  priority: Priority,
  /** What it waits for, as a sentence. */
  needs: z.string(),
  position: z.number().int(),
  agent: z.string(),
  project: z.string(),
});
export type QueuedDocument = z.infer<typeof QueuedDocument>;

export const LostDocument = z.object({
  session: z.string(),
  cause: z.string(),
  canResume: z.boolean(),
  wasCut: z.boolean(),
});

export const RecoveryDocument = z.object({
  adopted: z.array(z.string()),
  ended: z.array(z.string()),
  lost: z.array(LostDocument),
  relaunched: z.array(z.string()),
  strangers: z.array(z.string()),
});
export type RecoveryDocument = z.infer<typeof RecoveryDocument>;

export const HostDocument = z.object({
  host: z.string(),
  slots: z.object({ used: z.number().int(), total: z.number().int() }),
  epoch: z.number().int(),
  /** Null while the daemon works normally; else the sentence that says why it only reads. */
  readOnly: z.string().nullable(),
  recovery: RecoveryDocument.nullable(),
});
export type HostDocument = z.infer<typeof HostDocument>;

/** A keyed document of the live view. `host` has the key `host`. */
export const KeyedDocument = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('session'), key: z.string(), document: SessionDocument }),
  z.object({ kind: z.literal('queued'), key: z.string(), document: QueuedDocument }),
  z.object({ kind: z.literal('host'), key: z.string(), document: HostDocument }),
]);
export type KeyedDocument = z.infer<typeof KeyedDocument>;

export const SnapshotDocument = z.object({
  schema: z.literal('concert/snapshot@1'),
  /** Number of the last change in it; ask the stream for what came after. */
  seq: z.number().int(),
  documents: z.array(KeyedDocument),
});
export type SnapshotDocument = z.infer<typeof SnapshotDocument>;

/** One message of `WS /v1/stream`. `reset` says that the asked-for `since` is too old or of another daemon: fetch a new snapshot. */
export const StreamMessage = z.union([
  z.object({ seq: z.number().int(), upsert: KeyedDocument }),
  z.object({
    seq: z.number().int(),
    remove: z.object({ kind: z.enum(['session', 'queued', 'host']), key: z.string() }),
  }),
  z.object({ seq: z.number().int(), reset: z.literal(true) }),
]);
export type StreamMessage = z.infer<typeof StreamMessage>;

export const StatusDocument = z.object({
  schema: z.literal('concert/status@1'),
  daemon: z.object({
    pid: z.number().int(),
    version: z.string(),
    url: z.string().nullable(),
    home: z.string(),
    startedAt: Time,
    epoch: z.number().int(),
    readOnly: z.string().nullable(),
  }),
  counts: z.partialRecord(SessionState, z.number().int()),
  queued: z.number().int(),
  slots: z.object({ used: z.number().int(), total: z.number().int() }),
  recovery: RecoveryDocument.nullable(),
});
export type StatusDocument = z.infer<typeof StatusDocument>;

export const SessionsDocument = z.object({
  schema: z.literal('concert/sessions@1'),
  items: z.array(SessionDocument),
  queued: z.array(QueuedDocument),
});
export type SessionsDocument = z.infer<typeof SessionsDocument>;

export const RunDocument = z.object({
  schema: z.literal('concert/run@1'),
  task: z.string(),
  session: z.string().nullable(),
  /** A session's state, or `queued`. */
  state: z.union([SessionState, z.literal('queued')]),
  name: z.string().nullable(),
  tab: z.number().int().nullable(),
  needs: z.string().nullable(),
});
export type RunDocument = z.infer<typeof RunDocument>;

export const ExplainDocument = z.object({
  schema: z.literal('concert/explain@1'),
  session: z.string(),
  name: z.string(),
  state: SessionState,
  since: Time,
  because: EvidenceDocument,
  /** Newest first, at most 50. */
  evidence: z.array(EvidenceDocument),
  sources: z.array(z.object({ source: StateSource, reports: z.array(z.string()) })),
});
export type ExplainDocument = z.infer<typeof ExplainDocument>;

export const ShowDocument = z.object({
  schema: z.literal('concert/session@1'),
  session: SessionDocument,
  /** Rows of the present screen as text; null when there is none. */
  screen: z.array(z.string()).nullable(),
});
export type ShowDocument = z.infer<typeof ShowDocument>;

export const DiffDocument = z.object({
  schema: z.literal('concert/diff@1'),
  session: z.string(),
  base: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      from: z.string().nullable(),
      change: z.enum(['added', 'modified', 'deleted', 'renamed', 'type-changed']),
      added: z.number().int().nullable(),
      removed: z.number().int().nullable(),
    }),
  ),
  added: z.number().int(),
  removed: z.number().int(),
  patch: z.string().nullable(),
  truncated: z.boolean(),
});
export type DiffDocument = z.infer<typeof DiffDocument>;

export const EventDocument = z.object({
  seq: z.number().int(),
  at: Time,
  type: z.string(),
  session: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type EventDocument = z.infer<typeof EventDocument>;

export const EventsDocument = z.object({ schema: z.literal('concert/events@1'), items: z.array(EventDocument) });
export type EventsDocument = z.infer<typeof EventsDocument>;

export const DoctorDocument = z.object({
  schema: z.literal('concert/doctor@1'),
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), message: z.string(), hint: z.string().nullable() })),
});
export type DoctorDocument = z.infer<typeof DoctorDocument>;

export const ErrorDocument = z.object({
  schema: z.literal('concert/error@1'),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});
export type ErrorDocument = z.infer<typeof ErrorDocument>;

/** A verb that changed something and has nothing else to say. */
export const DoneDocument = z.object({
  schema: z.literal('concert/done@1'),
  session: z.string().nullable(),
  message: z.string(),
});
export type DoneDocument = z.infer<typeof DoneDocument>;

export const AgentsDocument = z.object({
  schema: z.literal('concert/agents@1'),
  items: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      installed: z.boolean(),
      version: z.string().nullable(),
      note: z.string().nullable(),
      simulated: z.boolean(),
    }),
  ),
});
export type AgentsDocument = z.infer<typeof AgentsDocument>;

export const TrustDocument = z.object({
  schema: z.literal('concert/trust@1'),
  repository: z.string(),
  /** Of everything that would run or be copied; a yes names it. */
  hash: z.string(),
  trusted: z.boolean(),
  summary: z.array(z.string()),
});
export type TrustDocument = z.infer<typeof TrustDocument>;

export const ConfigDocument = z.object({
  schema: z.literal('concert/config@1'),
  file: z.string(),
  items: z.array(
    z.object({
      key: z.string(),
      value: z.unknown(),
      source: z.enum(['default', 'user file', 'environment', 'flag']),
      /** The file or variable it came from. */
      origin: z.string(),
      default: z.unknown(),
      variable: z.string(),
      description: z.string(),
    }),
  ),
});
export type ConfigDocument = z.infer<typeof ConfigDocument>;
