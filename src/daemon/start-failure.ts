import { type Refusal, refuse } from '../base/index.ts';
import { type ErrorCode, errorCodes } from '../protocol/index.ts';

/** What kept a daemon from starting, in the words of whoever waits for it. */
export function startFailure(error: unknown): Refusal<ErrorCode> {
  const { code, message } = error as { code?: string; message: string };
  const sessions = 'The daemon did not start; running sessions go on';
  if (code !== undefined && Object.hasOwn(errorCodes, code))
    return refuse(code as ErrorCode, `${message}. ${sessions}`);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return refuse('disk/full', `The disk is full (${message}). ${sessions}`);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return refuse('disk/read-only', `The home cannot be written to (${message}). ${sessions}`);
    case undefined:
      return refuse('daemon/internal', `The daemon fell over (${message}). ${sessions}`, 'concert log');
    default:
      return refuse('home/unusable', `The home cannot be used (${message}). ${sessions}`);
  }
}
