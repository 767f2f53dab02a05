import * as z from 'zod';

/** What a session is doing, named by who must act. See the table in docs/glossary.md. */
export const SessionState = z.enum([
  'starting',
  'working',
  'blocked',
  'failed',
  'review',
  'ready',
  'parked',
  'asleep',
  'paused',
  'unknown',
  'lost',
  'done',
]);
export type SessionState = z.infer<typeof SessionState>;

/** Where a state came from, most believable first. `guess` states carry `~` wherever they are shown. */
export const StateSource = z.enum([
  'person',
  'process',
  'server',
  'osc7501',
  'hook',
  'file',
  'mark',
  'title',
  'silence',
  'daemon',
]);
export type StateSource = z.infer<typeof StateSource>;

export const Confidence = z.enum(['sure', 'likely', 'guess']);
export type Confidence = z.infer<typeof Confidence>;

export const Priority = z.enum(['now', 'next', 'later']);
export type Priority = z.infer<typeof Priority>;
