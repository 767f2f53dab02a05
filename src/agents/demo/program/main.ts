#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { type DemoArguments, parseArguments, usage } from './arguments.ts';
import { seededChance } from './chance.ts';
import { Conversation } from './conversation.ts';
import { DemoSession } from './demo-session.ts';
import { FullScreen } from './full-screen.ts';
import { PlainLines } from './plain-lines.ts';
import { parseScenario, type Scenario, ScenarioError } from './scenario.ts';
import { readyMade } from './scenarios/ready-made.ts';
import type { Stage, StageEvents } from './stage.ts';
import { StatusReport } from './status-report.ts';
import { Workbench } from './workbench.ts';

const exitUsage = 2;
/** 128 + the number of the signal, as shells count. */
const exitBySignal = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Keys in the first moment of a dialog were meant for what was there before. Real agents were measured to ignore about as long. */
const dialogDeafMs = 150;

/** What the program was asked to do, read and checked. */
interface Request {
  options: DemoArguments;
  scenario: Scenario;
  conversation: Conversation;
  prompt: string | null;
}

function main(): void {
  const options = parseArguments(process.argv.slice(2));
  if (typeof options !== 'string' && options.help) {
    process.stdout.write(usage);
    return;
  }
  const request = typeof options === 'string' ? `${options}\n${usage}` : requestOf(options);
  if (typeof request !== 'string') perform(request);
  else {
    process.stderr.write(request);
    process.exitCode = exitUsage;
  }
}

function perform({ options, scenario, conversation, prompt }: Request): void {
  const { stdin: input, stdout: output } = process;
  const write = writer(output, options.record);
  const isScreen = scenario.screen === 'tui' && input.isTTY && output.isTTY;
  const events: StageEvents = {
    onPrompt: (text) => session.prompt(text),
    onInterrupt: () => session.interrupt(),
    onQuit: () => end(0),
    onInputEnd: () => session.endInput(),
    onAnswer: (to) => report.heard(to),
  };
  const stage: Stage = isScreen
    ? new FullScreen({ name: scenario.name, input, output, write, events, deafMs: dialogDeafMs / options.speed })
    : new PlainLines({ input, write, events });
  // Without raw input an answer of the terminal would be read as typed text, so nothing is asked.
  const mode = scenario.reports === 'asked' && !isScreen ? 'none' : scenario.reports;
  const report = new StatusReport(scenario.name, mode, write);
  const workbench = new Workbench({ root: process.cwd(), nodePath: process.execPath, env: process.env });
  const session = new DemoSession({
    scenario,
    stage,
    conversation,
    workbench,
    tell: (told) => report.tell(told),
    chance: seededChance(options.seed),
    speed: options.speed,
  });

  const close = () => {
    for (const part of [workbench, report, stage]) part[Symbol.dispose]();
  };
  const end = (exitCode: number): void => {
    close();
    const kept = options.logDir === null ? '' : ` Conversation ${conversation.id} is kept.`;
    if (isScreen) write(`Simulated session ${scenario.name} ended.${kept}\r\n`);
    process.exit(exitCode);
  };
  // Such as a full disk: the terminal is given back and the reason is the last thing on it.
  const fail = (error: unknown): void => {
    close();
    process.stderr.write(`The demo agent cannot go on: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  };
  for (const [signal, exitCode] of Object.entries(exitBySignal)) process.on(signal, () => end(exitCode));
  // The terminal is gone: nothing can be shown any more.
  for (const stream of [input, output]) stream.on('error', () => process.exit(exitBySignal.SIGHUP));
  process.on('uncaughtException', fail);
  report.decided.then(() => session.run(prompt)).then(end, fail);
}

function writer(output: NodeJS.WriteStream, record: string | null): (bytes: string | Uint8Array) => void {
  if (record === null) return (bytes) => void output.write(bytes);
  const file = openSync(record, 'a', 0o600);
  return (bytes) => {
    writeSync(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    output.write(bytes);
  };
}

/** The request, or one sentence about what is wrong with it. */
function requestOf(options: DemoArguments): Request | string {
  const scenario = scenarioNamed(options.scenario);
  if (typeof scenario === 'string') return scenario;
  try {
    const prompt = options.promptFile === null ? options.prompt : readFileSync(options.promptFile, 'utf8');
    const conversation = conversationOf(options);
    if (conversation === null) return `There is no conversation ${options.resume} to resume\n`;
    return { options, scenario, conversation, prompt: prompt?.trim() === '' ? null : prompt };
  } catch (error) {
    if (isSystemError(error)) return `Cannot begin: ${error.message}\n`;
    throw error;
  }
}

function scenarioNamed(name: string): Scenario | string {
  if (!name.endsWith('.json')) {
    const known = readyMade.get(name);
    return known ?? `No scenario is called ${JSON.stringify(name)}: there are ${[...readyMade.keys()].join(', ')}\n`;
  }
  try {
    return parseScenario(JSON.parse(readFileSync(name, 'utf8')), 'scripted');
  } catch (error) {
    if (error instanceof ScenarioError || error instanceof SyntaxError || isSystemError(error))
      return `Cannot play ${JSON.stringify(name)}: ${error.message}\n`;
    throw error;
  }
}

function conversationOf({ resume, conversation, logDir }: DemoArguments): Conversation | null {
  if (resume === null || logDir === null) return Conversation.create(conversation ?? randomUUID(), logDir);
  return Conversation.load(resume, logDir);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

main();
