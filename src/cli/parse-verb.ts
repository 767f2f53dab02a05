import { Command, CommanderError } from 'commander';
import { ok, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import type { Verb } from './verb.ts';
import type { VerbRow } from './verbs.ts';

type Parsed = { help: string } | { args: string[]; options: Record<string, unknown>; rest: string[] };

/** Takes a verb's arguments apart as its shape says. Refused with what is wrong; asked for help, the text of it. */
export function parseVerb(what: {
  name: string;
  row: VerbRow;
  verb: Verb;
  argv: readonly string[];
}): Result<Parsed, ErrorCode> {
  const { name, row, verb, argv } = what;
  const end = verb.hasRest === true ? argv.indexOf('--') : -1;
  const own = end < 0 ? [...argv] : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end + 1);

  const help: string[] = [];
  const command = new Command(`concert ${name}`)
    .description(row.summary)
    .helpOption('-h, --help', 'this text')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void help.push(text), writeErr() {} });
  verb.shape(command);
  command
    .option('--json', 'print a document for programs')
    .option('-q, --quiet', 'no progress and no hints')
    .option('-v, --verbose', 'more detail')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .option('-y, --yes', 'do not ask');
  command.addOption(command.createOption('--host <host>').hideHelp());
  try {
    command.parse(own, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return ok({ help: help.join('') });
    return refuse('request/invalid', sentenceOf(error), hintFor(error, name));
  }
  const options = command.opts<Record<string, unknown>>();
  if (options['host'] !== undefined)
    return refuse('request/not-built-yet', 'Other hosts are not built yet; nothing was done');
  return ok({ args: command.args, options, rest });
}

/** Commander says `error: missing required argument 'id'`. */
function sentenceOf({ message }: CommanderError): string {
  const text = plainLine(message.replace(/^error: /, ''), 300);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function hintFor(error: CommanderError, name: string): string {
  const isText = /^error: unknown option '[^'\n]* /.test(error.message);
  return isText ? 'Put -- before a text that begins with a dash' : `concert ${name} --help`;
}
