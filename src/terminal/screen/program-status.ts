import type { ByteWriter } from './byte-writer.ts';
import { decodeBase64Text } from './decode-base64.ts';
import { sanitizeText } from './sanitize-text.ts';

/** One record of the Program Status Protocol (OSC 7501, draft 0.2). Text is untrusted and authorises nothing. */
export interface ProgramStatus {
  /** Path of the record; empty for the program as a whole. */
  id: string;
  state: 'idle' | 'working' | 'done' | 'blocked' | 'error' | 'clear';
  /** Only with `blocked`. */
  kind?: 'permission' | 'question' | 'auth';
  message?: string;
  title?: string;
  app?: string;
  /** 0 to 100. */
  progress?: number;
}

/** Limits of the protocol: characters of one report, and records a terminal keeps. A report beyond either is dropped. */
const reportCharactersMax = 4096;
const recordsMax = 256;
/** Of records a checkpoint repeats, newest first: a program with hundreds of long records loses old ones on attach. */
const checkpointCharactersMax = 64 * 1024;
const textMax = 2048;
const nameMax = 256;

const states = ['idle', 'working', 'done', 'blocked', 'error', 'clear'] as const;
const kinds = ['permission', 'question', 'auth'] as const;
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** Reads what follows `7501;`; undefined for anything malformed. */
export function parseProgramStatus(report: string): ProgramStatus | undefined {
  if (report.length > reportCharactersMax || control.test(report)) return undefined;
  const fields = new Map<string, string>();
  for (const pair of report.split(':')) {
    const equals = pair.indexOf('=');
    if (equals > 0) fields.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const state = states.find((name) => name === fields.get('state'));
  const message = textOf(fields.get('msg'));
  const title = textOf(fields.get('title'));
  if (state === undefined || message === malformed || title === malformed) return undefined;
  const status: ProgramStatus = { id: sanitizeText(fields.get('id') ?? '', nameMax), state };
  const kind = kinds.find((name) => name === fields.get('kind'));
  if (kind !== undefined && state === 'blocked') status.kind = kind;
  if (message !== undefined) status.message = message;
  if (title !== undefined) status.title = title;
  const app = fields.get('app');
  if (app !== undefined) status.app = sanitizeText(app, nameMax);
  const progress = Number(fields.get('progress') ?? Number.NaN);
  if (Number.isInteger(progress) && progress >= 0 && progress <= 100) status.progress = progress;
  return status;
}

const malformed = Symbol('malformed');

function textOf(base64: string | undefined): string | undefined | typeof malformed {
  if (base64 === undefined) return undefined;
  const text = decodeBase64Text(base64);
  return text === undefined || control.test(text) ? malformed : sanitizeText(text, textMax);
}

/** The records a terminal keeps: each report replaces the one of its id. */
export class ProgramStatusRecords {
  /** Reports as they came, by id, oldest first. */
  readonly #reports = new Map<string, string>();

  /** Returns the record, or undefined when the report was dropped. */
  take(report: string): ProgramStatus | undefined {
    const status = parseProgramStatus(report);
    if (status === undefined) return undefined;
    const isNew = !this.#reports.delete(status.id);
    if (status.state === 'clear') return status;
    if (isNew && this.#reports.size >= recordsMax) return undefined;
    this.#reports.set(status.id, report);
    return status;
  }

  write(out: ByteWriter): void {
    const kept: string[] = [];
    let characters = 0;
    for (const report of [...this.#reports.values()].reverse()) {
      characters += report.length;
      if (characters > checkpointCharactersMax) break;
      kept.push(report);
    }
    for (const report of kept.reverse()) {
      out.ascii('\x1b]7501;');
      out.text(report);
      out.ascii('\x1b\\');
    }
  }
}
