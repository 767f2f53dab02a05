import * as z from 'zod';
import { Priority } from './states.ts';

/** Longest prompt or message taken; a longer one is refused with a sentence, never cut. */
export const textLengthMax = 1_000_000;
/** Arguments of one command line, all together: far below what the kernel takes. */
export const argvBytesMax = 100_000;

const text = z.string().max(textLengthMax);
const size = { columns: z.number().int().min(20).max(1000), rows: z.number().int().min(5).max(500) };

/** POST /v1/tasks */
export const TaskStartRequest = z.strictObject({
  prompt: text.default(''),
  title: z.string().max(400).optional(),
  agent: z.string().max(40).default('generic'),
  argv: z.array(z.string().max(argvBytesMax)).max(4096).default([]),
  /** Folder the caller stands in or named with `-r`; absolute. */
  cwd: z.string().min(1).max(4096),
  inPlace: z.boolean().default(false),
  name: z.string().max(400).optional(),
  tab: z.union([z.number().int().min(1).max(9), z.literal('auto'), z.null()]).default('auto'),
  priority: Priority.default('next'),
  env: z.record(z.string().max(256), z.string().max(131_072)).default({}),
  columns: size.columns.default(120),
  rows: size.rows.default(40),
});
export type TaskStartRequest = z.input<typeof TaskStartRequest>;
/** With every default filled in. */
export type TaskStart = z.output<typeof TaskStartRequest>;

/** POST /v1/sessions/:id/send */
export const SendRequest = z.strictObject({ text: text.min(1), now: z.boolean().default(false) });
export type SendRequest = z.input<typeof SendRequest>;

/** POST /v1/sessions/:id/keys: raw bytes for the terminal, as base64. */
export const KeysRequest = z.strictObject({ bytes: z.base64().max(65_536) });
export type KeysRequest = z.input<typeof KeysRequest>;

/** POST /v1/sessions/:id/rename */
export const RenameRequest = z.strictObject({ name: z.string().min(1).max(400) });
/** POST /v1/sessions/:id/tab */
export const TabRequest = z.strictObject({ tab: z.number().int().min(1).max(9).nullable() });
/** DELETE /v1/sessions/:id */
export const RemoveRequest = z.strictObject({ force: z.boolean().default(false) });
/** POST /v1/sessions/:id/resume: the caller's environment, since secrets are never kept. */
export const ResumeRequest = z.strictObject({
  env: z.record(z.string().max(256), z.string().max(131_072)).default({}),
});
export type ResumeRequest = z.input<typeof ResumeRequest>;
/** POST /v1/demo */
export const DemoRequest = z.strictObject({
  action: z.enum(['start', 'stop']),
  env: z.record(z.string(), z.string()).default({}),
});
/** POST /v1/trust */
export const TrustRequest = z.strictObject({
  repository: z.string().min(1).max(4096),
  hash: z.string().max(128).nullable(),
});

/**
 * Text frames of `WS /v1/sessions/:id/terminal`, from the terminal. `direct` terminals (on this machine, by the unix
 * socket) are answered with a ticket and read the holder themselves; others get bytes in binary frames.
 */
export const TerminalRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('attach'),
    /** Names this terminal across reconnects, so that it gets its seat back. */
    device: z.string().min(1).max(64),
    mode: z.enum(['drive', 'view']),
    /** Take the seat from whoever has it. */
    take: z.boolean(),
    direct: z.boolean(),
    ...size,
    /** Scrolled-off rows wanted before the screen; at most 1,000 are kept. */
    history: z.number().int().min(0).max(1000),
  }),
  /** A fresh screen, after falling behind. */
  z.strictObject({ type: z.literal('resync') }),
  z.strictObject({ type: z.literal('resize'), ...size }),
  /** Bytes a non-direct terminal has taken; as many more may be sent. */
  z.strictObject({ type: z.literal('credit'), bytes: z.number().int().min(1).max(16_777_216) }),
  z.strictObject({ type: z.literal('take') }),
]);
export type TerminalRequest = z.infer<typeof TerminalRequest>;

/** Text frames to the terminal. A `screen` is followed by one binary frame: the checkpoint's bytes. */
export type TerminalNotice =
  | {
      type: 'attached';
      session: string;
      name: string;
      tab: number | null;
      mode: 'drive' | 'view';
      /** Only for direct terminals. */
      holder: { socket: string; ticket: string; channel: number } | null;
    }
  | { type: 'screen'; offset: number; columns: number; rows: number }
  | { type: 'mode'; mode: 'drive' | 'view'; driver: string | null }
  | { type: 'ended'; state: string; why: string }
  | { type: 'refused'; code: string; message: string; hint: string };
