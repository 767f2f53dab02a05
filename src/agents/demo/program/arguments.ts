import { parseArgs } from 'node:util';

export interface DemoArguments {
  /** A ready-made scenario, or a path that ends in `.json`. */
  scenario: string;
  prompt: string | null;
  promptFile: string | null;
  /** Name a new conversation gets. */
  conversation: string | null;
  /** Conversation to go on with. */
  resume: string | null;
  /** Folder conversations are kept in; without one nothing is kept. */
  logDir: string | null;
  seed: number;
  speed: number;
  /** File that gets a copy of every byte written to standard output. */
  record: string | null;
  help: boolean;
}

export const usage = `Usage: demo-agent [options]     a simulated coding agent; calls no model
  --scenario <name|file.json>   what to play (default: any-task)
  --prompt <text>               begin with this prompt
  --prompt-file <path>          the same, from a file
  --log-dir <folder>            keep conversations here
  --conversation <id>           name of the new conversation
  --resume <id>                 show a kept conversation and go on with it
  --seed <n>  --speed <n>       chance and pace (default: 1, 1)
  --record <file>               also write every byte of the output here
`;

/** The options, or one sentence about what is wrong with them. */
export function parseArguments(argv: readonly string[]): DemoArguments | string {
  try {
    return readArguments(argv);
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

function readArguments(argv: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', default: 'any-task' },
      prompt: { type: 'string' },
      'prompt-file': { type: 'string' },
      conversation: { type: 'string' },
      resume: { type: 'string' },
      'log-dir': { type: 'string' },
      seed: { type: 'string', default: '1' },
      speed: { type: 'string', default: '1' },
      record: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.resume !== undefined && values['log-dir'] === undefined)
    throw new Error('--resume needs --log-dir, where the conversation is kept');
  return {
    scenario: values.scenario,
    prompt: values.prompt ?? null,
    promptFile: values['prompt-file'] ?? null,
    conversation: conversationId(values.conversation),
    resume: conversationId(values.resume),
    logDir: values['log-dir'] ?? null,
    seed: positive('--seed', values.seed),
    speed: positive('--speed', values.speed),
    record: values.record ?? null,
    help: values.help,
  };
}

/** It becomes a file name. */
function conversationId(id: string | undefined): string | null {
  if (id === undefined) return null;
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(id)) throw new Error('A conversation id is letters, digits and dashes');
  return id;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${flag} must be a number above 0`);
  return value;
}
