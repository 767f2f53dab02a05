import { safeText } from '../../safe-text.ts';
import { type DemoReport, parkedPrefix } from '../demo-report.ts';
import { floodOf } from './chance.ts';
import type { Conversation, Entry, ToolOutcome } from './conversation.ts';
import { changesText, foreignFolder } from './frame.ts';
import type { Scenario, Step } from './scenario.ts';
import type { Activity, Facts, Plan, Stage } from './stage.ts';
import type { Workbench, WorkResult } from './workbench.ts';

interface DemoSessionParts {
  scenario: Scenario;
  stage: Stage;
  conversation: Conversation;
  workbench: Workbench;
  tell(report: DemoReport): void;
  chance(): number;
  speed: number;
}

/** How steps ended: go on, the turn failed, or the program ends with this code. */
type Outcome = 'played' | 'failed' | { exitCode: number };

/** Prompts that may wait for the end of a turn; one more is turned away and said so. */
const queueMax = 50;
/** Characters of a prompt kept in the conversation. */
const promptLengthMax = 64 * 1024;

/**
 * One session of the demo: takes prompts one after the other and plays a turn for each.
 *
 * | it is | entered | left by |
 * |---|---|---|
 * | ready | boot without a prompt, an interrupted turn | a prompt |
 * | working | a prompt, the end of a wait, an answer | the steps |
 * | asking | `ask-permission`, `ask-question` | a key; Esc denies, or interrupts at a question |
 * | parked | `wait` | time, Esc |
 * | review | a turn played to its end | a prompt |
 * | failed | `fail` | a prompt |
 */
export class DemoSession {
  #parts: DemoSessionParts;
  #queue: string[] = [];
  #wake: (() => void) | null = null;
  #turn: AbortController | null = null;
  #label = 'Starting';
  #plan: Plan | null = null;
  #facts: Facts;
  #turnSince = 0;
  #stepsPlayed: number;
  #hasBegun: boolean;
  #wasToldOfForeignFolder = false;
  #isInputOver = false;

  constructor(parts: DemoSessionParts) {
    this.#parts = parts;
    this.#facts = { isDemoRepository: parts.workbench.isDemoRepository, branch: null, changes: null, testsPassed: 0 };
    this.#stepsPlayed = parts.conversation.stepsPlayed;
    this.#hasBegun = parts.conversation.entries.length > 0;
  }

  /** Plays until the scenario ends the program; answers its exit code. What is typed meanwhile comes after `firstPrompt`. */
  async run(firstPrompt: string | null): Promise<number> {
    const { conversation, scenario, stage, workbench } = this.#parts;
    for (const { id, entry } of conversation.entries) stage.put(id, entry, true);
    if (this.#hasBegun) {
      const cut = conversation.wasCut ? ' The last turn was cut; type continue to go on with it.' : '';
      this.#add({ kind: 'note', text: `Resumed.${cut}` });
    }
    const startsAtOnce = firstPrompt !== null || (scenario.startsAlone && !this.#hasBegun);
    if (startsAtOnce) stage.show({ kind: 'working', label: 'Starting', since: Date.now() });
    else this.#rest({ kind: 'ready' }, { state: 'idle' });
    this.#setFacts({ branch: await workbench.branch() });
    let ended: Outcome = startsAtOnce ? await this.#playTurn(firstPrompt) : 'played';
    while (typeof ended === 'string') {
      const prompt = this.#queue.shift();
      if (prompt === undefined) {
        if (this.#isInputOver) return 0;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      stage.showQueue(this.#queue);
      if (/^\/(quit|exit)\s*$/.test(prompt)) return 0;
      ended = await this.#playTurn(prompt);
    }
    return ended.exitCode;
  }

  /** Plays now, or waits for the end of the turn. */
  prompt(text: string): void {
    if (this.#queue.length >= queueMax) {
      this.#add({ kind: 'note', text: `Not queued: ${queueMax} messages wait already.` });
      return;
    }
    this.#queue.push(text);
    if (this.#turn !== null) this.#parts.stage.showQueue(this.#queue);
    this.#wake?.();
    this.#wake = null;
  }

  /** No prompt can come any more: ends when the last turn has. */
  endInput(): void {
    this.#isInputOver = true;
    this.#wake?.();
  }

  /** Cuts the turn, if there is one. */
  interrupt(): void {
    this.#turn?.abort(new Interrupted());
  }

  async #playTurn(prompt: string | null): Promise<Outcome> {
    const { conversation, workbench, scenario } = this.#parts;
    const turn = new AbortController();
    this.#turn = turn;
    this.#turnSince = Date.now();
    if (prompt !== null) this.#add({ kind: 'you', text: safeLines(prompt) });
    const goesOn = this.#stepsPlayed < scenario.steps.length && (!this.#hasBegun || isGoOn(prompt ?? ''));
    this.#hasBegun = true;
    if (!goesOn) this.#setPlan(null);
    this.#setFacts({ changes: null, testsPassed: 0 });
    try {
      this.#work('Reading the task');
      await workbench.begin(turn.signal);
      const outcome = goesOn
        ? await this.#playScenario(prompt ?? '', turn.signal)
        : await this.#playAll(scenario.followUp, prompt ?? '', turn.signal);
      if (outcome === 'played') await this.#finish(turn.signal);
      return outcome;
    } catch (error) {
      if (!turn.signal.aborted) throw error;
      this.#add({ kind: 'note', text: 'Interrupted by you.' });
      this.#rest({ kind: 'ready' }, { state: 'idle' });
      return 'played';
    } finally {
      this.#turn = null;
      conversation.keepPosition(this.#stepsPlayed, false);
    }
  }

  async #playScenario(prompt: string, signal: AbortSignal): Promise<Outcome> {
    const { scenario, conversation } = this.#parts;
    while (this.#stepsPlayed < scenario.steps.length) {
      conversation.keepPosition(this.#stepsPlayed, true);
      const step = scenario.steps[this.#stepsPlayed];
      const outcome = step === undefined ? 'played' : await this.#play(step, prompt, signal);
      this.#stepsPlayed++;
      if (outcome !== 'played') return outcome;
    }
    return 'played';
  }

  async #playAll(steps: readonly Step[], prompt: string, signal: AbortSignal): Promise<Outcome> {
    for (const step of steps) {
      const outcome = await this.#play(step, prompt, signal);
      if (outcome !== 'played') return outcome;
    }
    return 'played';
  }

  async #play(step: Step, prompt: string, signal: AbortSignal): Promise<Outcome> {
    const { stage, workbench } = this.#parts;
    switch (step.do) {
      case 'say':
        await this.#say(withPrompt(step.text, prompt), signal);
        return 'played';
      case 'think':
        this.#work(step.label ?? this.#plan?.items[this.#plan.done] ?? 'Thinking');
        await this.#pause(step.ms * (0.85 + 0.3 * this.#parts.chance()), signal);
        return 'played';
      case 'plan':
        this.#setPlan({ items: step.items.map((item) => safeText(item)), done: 0 });
        return 'played';
      case 'tick':
        if (this.#plan !== null)
          this.#setPlan({ ...this.#plan, done: Math.min(this.#plan.items.length, this.#plan.done + 1) });
        return 'played';
      case 'read':
        await this.#use('Read', step.path, 'Reading', 500, async () => workbench.read(step.path), signal);
        return 'played';
      case 'edit': {
        const filled = step.append === undefined ? step : { ...step, append: withPrompt(step.append, prompt) };
        await this.#use('Edit', step.path, 'Editing', 900, async () => workbench.edit(filled), signal);
        await this.#measure(signal);
        return 'played';
      }
      case 'test':
        await this.#use('Test', step.files.join(' '), 'Testing', 700, () => workbench.test(step.files, signal), signal);
        this.#setFacts({ testsPassed: workbench.testsPassed });
        return 'played';
      case 'run':
        await this.#use('Run', step.argv.join(' '), 'Running', 700, () => workbench.run(step.argv, signal), signal);
        return 'played';
      case 'commit':
        await this.#use(
          'Commit',
          step.message,
          'Committing',
          400,
          () => workbench.commit(step.message, signal),
          signal,
        );
        await this.#measure(signal);
        return 'played';
      case 'ask-permission': {
        const command = safeText(step.command);
        const chosen = await this.#ask(
          { kind: 'permission', message: `run ${command}?` },
          { title: 'Asks to run a command', command, text: safeText(step.why), options: permissionOptions },
          signal,
        );
        const isAllowed = chosen === 0;
        this.#add({ kind: 'note', text: isAllowed ? `You allowed it once: ${command}` : `You said no to: ${command}` });
        return this.#playAll(isAllowed ? step.yes : step.no, prompt, signal);
      }
      case 'ask-question': {
        const labels = step.options.map(({ label }) => safeText(label));
        const question = safeText(step.question);
        const chosen = await this.#ask(
          { kind: 'question', message: question },
          { title: 'Asks you a question', command: '', text: question, options: labels },
          signal,
        );
        if (chosen === null) throw this.#interrupted();
        this.#add({ kind: 'note', text: `You chose: ${labels[chosen] ?? ''}` });
        return this.#playAll(step.options[chosen]?.steps ?? [], prompt, signal);
      }
      case 'wait': {
        const ms = step.ms / this.#parts.speed;
        const until = `${parkedPrefix}${clockOf(Date.now() + ms)}, when ${safeText(step.until)}`;
        stage.show({ kind: 'parked', until, wakesAt: Date.now() + ms });
        this.#tell({ state: 'idle', message: until });
        await this.#pause(step.ms, signal);
        this.#work('Waking up');
        return 'played';
      }
      case 'fail': {
        const message = safeText(step.message);
        this.#add({ kind: 'end', text: `failed after ${this.#elapsed()}` });
        this.#rest({ kind: 'failed', text: message }, { state: 'error', message });
        return 'failed';
      }
      case 'hide':
        stage.show({ kind: 'quiet', label: this.#label, since: this.#turnSince });
        this.#tell({ state: 'clear' });
        await this.#pause(step.ms, signal);
        this.#work(this.#label);
        return 'played';
      case 'flood':
        for (const piece of floodOf(step.bytes, this.#parts.chance)) {
          stage.write(piece);
          await this.#pause(0, signal);
        }
        return 'played';
      case 'print':
        stage.write(Buffer.from(step.base64, 'base64'));
        return 'played';
      case 'echo':
        return this.#echo(signal);
      case 'repeat':
        for (let round = 0; step.times === 'forever' || round < step.times; round++) {
          const outcome = await this.#playAll(step.steps, prompt, signal);
          if (outcome !== 'played') return outcome;
          await this.#pause(0, signal);
        }
        return 'played';
      case 'exit':
        return { exitCode: step.code };
    }
  }

  async #say(text: string, signal: AbortSignal): Promise<void> {
    const id = this.#parts.conversation.newId();
    const words = text.split(' ');
    const wordMs = 45;
    // Whole at once where a word would stand for less than a frame.
    const step = Math.max(1, Math.ceil((33 * this.#parts.speed) / wordMs));
    for (let count = step; count < words.length; count += step) {
      this.#parts.stage.put(id, { kind: 'say', text: words.slice(0, count).join(' ') }, false);
      await this.#pause(wordMs * step, signal);
    }
    this.#keep(id, { kind: 'say', text });
  }

  /** Shows a tool at work for at least `msMin`, so that one can follow. */
  async #use(
    verb: string,
    subject: string,
    doing: string,
    msMin: number,
    work: () => Promise<WorkResult>,
    signal: AbortSignal,
  ): Promise<void> {
    const id = this.#parts.conversation.newId();
    const shown = safeText(subject);
    const entry = (outcome: ToolOutcome, result: string, lines: readonly string[]): Entry => ({
      kind: 'tool',
      verb,
      subject: shown,
      outcome,
      result,
      lines,
    });
    this.#work(this.#plan?.items[this.#plan.done] ?? `${doing} ${shown}`);
    const running = entry('running', '', []);
    this.#parts.stage.put(id, running, false);
    this.#parts.conversation.keep(id, running);
    try {
      await this.#pause(msMin, signal);
      if (verb !== 'Read' && !this.#parts.workbench.isDemoRepository) {
        this.#keep(id, entry('cut', 'left out', []));
        this.#tellOfForeignFolder();
        return;
      }
      const { isOk, result, lines } = await work();
      signal.throwIfAborted();
      this.#keep(id, entry(isOk ? 'ok' : 'failed', result, lines));
    } catch (error) {
      if (signal.aborted) {
        this.#keep(id, entry('cut', 'interrupted', []));
        throw error;
      }
      // The work could not be done, such as on a full disk: shown like any failing tool, and the turn goes on.
      this.#keep(id, entry('failed', 'error', [safeText(error instanceof Error ? error.message : String(error))]));
    }
  }

  async #ask(
    report: { kind: 'permission' | 'question'; message: string },
    dialog: { title: string; command: string; text: string; options: readonly string[] },
    signal: AbortSignal,
  ): Promise<number | null> {
    this.#parts.stage.show({ kind: 'asking' });
    const answer = this.#parts.stage.ask({ kind: report.kind, ...dialog }, signal);
    this.#tell({ state: 'blocked', ...report });
    const chosen = await answer;
    this.#work(this.#label);
    return chosen;
  }

  async #echo(signal: AbortSignal): Promise<Outcome> {
    this.#rest({ kind: 'ready' }, { state: 'idle' });
    for (;;) {
      signal.throwIfAborted();
      const line = this.#queue.shift();
      if (line !== undefined) this.#parts.stage.write(`you said: ${line}\n`);
      else if (this.#isInputOver) return 'played';
      else
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
    }
  }

  async #finish(signal: AbortSignal): Promise<void> {
    const changes = await this.#measure(signal);
    const tests = this.#parts.workbench.testsPassed;
    const parts = [
      ...(changes === null || changes.files === 0 ? [] : [changesText(changes)]),
      ...(tests === 0 ? [] : [`${tests} tests pass`]),
    ];
    const summary = parts.length === 0 ? 'answered, nothing changed' : parts.join(', ');
    this.#add({ kind: 'end', text: `${this.#elapsed()}, ${summary}` });
    this.#rest({ kind: 'review', text: summary }, { state: 'done', message: summary });
  }

  async #measure(signal: AbortSignal): Promise<Facts['changes']> {
    const changes = await this.#parts.workbench.changes(signal);
    this.#setFacts({ changes });
    return changes;
  }

  #work(label: string): void {
    this.#label = label;
    this.#parts.stage.show({ kind: 'working', label, since: this.#turnSince });
    this.#tellWork();
  }

  #tellWork(): void {
    const item = this.#plan?.items[this.#plan.done];
    if (this.#plan === null || item === undefined) {
      this.#parts.tell({ state: 'working', message: this.#label });
      return;
    }
    const { done, items } = this.#plan;
    const progress = (100 * done) / items.length;
    this.#parts.tell({ state: 'working', message: `${done + 1}/${items.length} ${item}`, progress });
  }

  #rest(activity: Activity, report: DemoReport): void {
    this.#parts.stage.show(activity);
    this.#tell(report);
  }

  #tell(report: DemoReport): void {
    this.#parts.stage.flush();
    this.#parts.tell(report);
  }

  #setPlan(plan: Plan | null): void {
    this.#plan = plan;
    this.#parts.stage.showPlan(plan);
    if (plan !== null) this.#tellWork();
  }

  #setFacts(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts };
    this.#parts.stage.showFacts(this.#facts);
  }

  #add(entry: Entry): void {
    this.#keep(this.#parts.conversation.newId(), entry);
  }

  #keep(id: number, entry: Entry): void {
    this.#parts.conversation.keep(id, entry);
    this.#parts.stage.put(id, entry, true);
  }

  #tellOfForeignFolder(): void {
    if (this.#wasToldOfForeignFolder) return;
    this.#wasToldOfForeignFolder = true;
    this.#add({ kind: 'note', text: foreignFolder });
  }

  #interrupted(): Error {
    this.interrupt();
    return new Interrupted();
  }

  #elapsed(): string {
    const seconds = Math.round((Date.now() - this.#turnSince) / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }

  /** Rejects when the turn is interrupted. Never shorter than one round of the event loop, so that keys get through. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const interrupted = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', interrupted);
        resolve();
      }, ms / this.#parts.speed);
      signal.addEventListener('abort', interrupted, { once: true });
    });
  }
}

/** The person ended the turn. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const permissionOptions = ['Yes, this once', 'No, go on without it'];

function isGoOn(prompt: string): boolean {
  return /^\s*(continue|go on|resume|retry)\b/i.test(prompt);
}

function withPrompt(text: string, prompt: string): string {
  return text.replace('{prompt}', () => safeText(prompt.split('\n', 1)[0] ?? ''));
}

function safeLines(text: string): string {
  return text
    .slice(0, promptLengthMax)
    .split(/\r\n?|\n/)
    .map((line) => safeText(line, promptLengthMax))
    .join('\n');
}

/** Local time of day; with seconds when it is near. */
function clockOf(at: number): string {
  const time = new Date(at);
  const isNear = at - Date.now() < 120_000;
  const parts = [time.getHours(), time.getMinutes(), ...(isNear ? [time.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
