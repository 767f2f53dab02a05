import { createInterface } from 'node:readline/promises';
import type { Call } from './call.ts';

/** Asks on the terminal; only a plain yes counts. The caller has checked that someone is there to ask. */
export async function askYes(call: Call, question: string): Promise<boolean> {
  const { stdin, stderr } = call.invocation;
  const prompt = createInterface({ input: stdin, output: stderr });
  const isLeft = new Promise<string>((resolve) => prompt.once('close', () => resolve('')));
  try {
    return /^y(es)?$/i.test((await Promise.race([prompt.question(`${question} [y/N] `), isLeft])).trim());
  } finally {
    prompt.close();
  }
}
