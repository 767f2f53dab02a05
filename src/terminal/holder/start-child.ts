import type { StartChild } from './child.ts';
import { findProblem } from './find-program.ts';
import { startPipes } from './pipe-child.ts';
import { startPty } from './pty-child.ts';

/** Starts a real program, after looking whether it can be started at all. */
export const startChild: StartChild = (spec, events) =>
  findProblem(spec) ?? (spec.io === 'pty' ? startPty(spec, events) : startPipes(spec, events));
