/**
 * What the demo program plays. A scenario is data: the ready-made ones are in `scenarios/`, a test or a curious person
 * gives a JSON file of the same shape. Times are in ms at speed 1; `--speed 20` makes them twenty times shorter. Work on
 * files, tests and git is real and takes what it takes.
 */
export interface Scenario {
  name: string;
  /** `tui` draws the full screen; `plain` prints lines, for fakes whose bytes a test wants to know. */
  screen: 'tui' | 'plain';
  /**
   * How the program tells its state. `asked`: by OSC 7501 if the terminal answers the query, else by titles. `unasked`:
   * by OSC 7501 without a question. `none`: not at all.
   */
  reports: 'asked' | 'unasked' | 'none';
  /** The first turn; begins with the prompt, or at once when `startsAlone`. */
  steps: readonly Step[];
  /** Begin `steps` without a prompt. */
  startsAlone: boolean;
  /** Played for each prompt typed later; `{prompt}` in its texts is the prompt's first line. */
  followUp: readonly Step[];
}

export type Step =
  /** Words appear one after the other. */
  | { do: 'say'; text: string }
  /** The spinner turns; `label` is what it says it does. */
  | { do: 'think'; ms: number; label?: string }
  /** A todo list. Replaces the one before. */
  | { do: 'plan'; items: readonly string[] }
  /** The first open item of the plan is done. */
  | { do: 'tick' }
  | { do: 'read'; path: string }
  /** Writes a file, replaces the first occurrence of `from` by `to`, or appends. Exactly one of the three. */
  | { do: 'edit'; path: string; content?: string; from?: string; to?: string; append?: string }
  /** `node --test` on these files. */
  | { do: 'test'; files: readonly string[] }
  /** Any program; `node` stands for the runtime the demo itself runs on. */
  | { do: 'run'; argv: readonly string[] }
  | { do: 'commit'; message: string }
  /** A permission dialog; waits for a key without end. */
  | { do: 'ask-permission'; command: string; why: string; yes: readonly Step[]; no: readonly Step[] }
  /** A question dialog; waits for a key without end. */
  | { do: 'ask-question'; question: string; options: readonly { label: string; steps: readonly Step[] }[] }
  /** Parked: wakes by itself after `ms`. `until` says what it waits for. */
  | { do: 'wait'; ms: number; until: string }
  /** The turn ends with an error. The steps behind it are played when the person types `retry` or `continue`. */
  | { do: 'fail'; message: string }
  /** Takes its status report back, then reports again with the next step. */
  | { do: 'hide'; ms: number }
  /** This many bytes of made-up log lines, the same for the same seed. Plain screen only. */
  | { do: 'flood'; bytes: number }
  /** These bytes as they are. */
  | { do: 'print'; base64: string }
  /** Answers each line typed with `you said: <line>`, until end of input or interrupt. Plain screen only. */
  | { do: 'echo' }
  | { do: 'repeat'; times: number | 'forever'; steps: readonly Step[] }
  /** Ends the program. */
  | { do: 'exit'; code: number };

/** Nested steps, those of dialogs and repeats included. More is a mistake, not a scenario. */
const stepsMax = 10_000;
const depthMax = 8;

export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly code = 'scenario-invalid';
}

/** Checks JSON from outside. Throws `ScenarioError` naming the place that is wrong. */
export function parseScenario(json: unknown, name: string): Scenario {
  const from = new Fields(json, 'scenario');
  from.knowsOnly(['name', 'screen', 'reports', 'steps', 'startsAlone', 'followUp']);
  const screen = from.oneOf('screen', ['tui', 'plain'], 'tui');
  const budget = { steps: stepsMax };
  return {
    name: from.has('name') ? from.text('name') : name,
    screen,
    reports: from.oneOf('reports', ['asked', 'unasked', 'none'], screen === 'tui' ? 'asked' : 'none'),
    steps: parseSteps(from.list('steps'), 'steps', budget, 0),
    startsAlone: from.flag('startsAlone', screen === 'plain'),
    followUp: from.has('followUp') ? parseSteps(from.list('followUp'), 'followUp', budget, 0) : defaultFollowUp,
  };
}

/** A ready-made scenario: what most of them have in common is filled in. */
export function scenario(name: string, steps: readonly Step[], rest: Partial<Scenario> = {}): Scenario {
  return { name, screen: 'tui', reports: 'asked', steps, startsAlone: false, followUp: defaultFollowUp, ...rest };
}

/** A small turn that really does something with any prompt. */
const defaultFollowUp: readonly Step[] = [
  { do: 'think', ms: 1800, label: 'Thinking about it' },
  { do: 'say', text: 'I write it down in NOTES.md, run the tests and commit.' },
  { do: 'edit', path: 'NOTES.md', append: '- {prompt}\n' },
  { do: 'test', files: ['test/cart.test.js'] },
  { do: 'think', ms: 1200, label: 'Reading the result' },
  { do: 'commit', message: 'Note what was asked' },
  { do: 'say', text: 'Noted and committed. The tests still pass.' },
];

function parseSteps(list: readonly unknown[], place: string, budget: { steps: number }, depth: number): Step[] {
  if (depth > depthMax) throw new ScenarioError(`${place}: steps are nested deeper than ${depthMax}`);
  budget.steps -= list.length;
  if (budget.steps < 0) throw new ScenarioError(`${place}: more than ${stepsMax} steps`);
  return list.map((item, index) => parseStep(item, `${place}[${index}]`, budget, depth));
}

function parseStep(item: unknown, place: string, budget: { steps: number }, depth: number): Step {
  const from = new Fields(item, place);
  const nested = (list: readonly unknown[], name: string) => parseSteps(list, `${place}.${name}`, budget, depth + 1);
  const kind = from.text('do');
  switch (kind) {
    case 'say':
      from.knowsOnly(['do', 'text']);
      return { do: kind, text: from.text('text') };
    case 'think':
      from.knowsOnly(['do', 'ms', 'label']);
      return { do: kind, ms: from.number('ms'), ...(from.has('label') ? { label: from.text('label') } : {}) };
    case 'plan':
      from.knowsOnly(['do', 'items']);
      return { do: kind, items: from.texts('items') };
    case 'tick':
    case 'echo':
      from.knowsOnly(['do']);
      return { do: kind };
    case 'read':
      from.knowsOnly(['do', 'path']);
      return { do: kind, path: from.text('path') };
    case 'edit':
      return parseEdit(from);
    case 'test':
      from.knowsOnly(['do', 'files']);
      return { do: kind, files: from.texts('files') };
    case 'run':
      from.knowsOnly(['do', 'argv']);
      return { do: kind, argv: from.texts('argv') };
    case 'commit':
      from.knowsOnly(['do', 'message']);
      return { do: kind, message: from.text('message') };
    case 'ask-permission':
      from.knowsOnly(['do', 'command', 'why', 'yes', 'no']);
      return {
        do: kind,
        command: from.text('command'),
        why: from.text('why'),
        yes: nested(from.list('yes'), 'yes'),
        no: nested(from.list('no'), 'no'),
      };
    case 'ask-question':
      from.knowsOnly(['do', 'question', 'options']);
      return {
        do: kind,
        question: from.text('question'),
        options: from.list('options').map((option, index) => {
          const field = new Fields(option, `${place}.options[${index}]`);
          field.knowsOnly(['label', 'steps']);
          return { label: field.text('label'), steps: nested(field.list('steps'), `options[${index}].steps`) };
        }),
      };
    case 'wait':
      from.knowsOnly(['do', 'ms', 'until']);
      return { do: kind, ms: from.number('ms'), until: from.text('until') };
    case 'fail':
      from.knowsOnly(['do', 'message']);
      return { do: kind, message: from.text('message') };
    case 'hide':
      from.knowsOnly(['do', 'ms']);
      return { do: kind, ms: from.number('ms') };
    case 'flood':
      from.knowsOnly(['do', 'bytes']);
      return { do: kind, bytes: from.number('bytes') };
    case 'print':
      from.knowsOnly(['do', 'base64']);
      return { do: kind, base64: from.text('base64') };
    case 'repeat':
      from.knowsOnly(['do', 'times', 'steps']);
      return { do: kind, times: from.times('times'), steps: nested(from.list('steps'), 'steps') };
    case 'exit':
      from.knowsOnly(['do', 'code']);
      return { do: kind, code: from.number('code') };
    default:
      throw new ScenarioError(`${place}: no step does ${JSON.stringify(kind)}`);
  }
}

function parseEdit(from: Fields): Step {
  from.knowsOnly(['do', 'path', 'content', 'from', 'to', 'append']);
  const path = from.text('path');
  if (from.has('content')) return { do: 'edit', path, content: from.text('content') };
  if (from.has('append')) return { do: 'edit', path, append: from.text('append') };
  return { do: 'edit', path, from: from.text('from'), to: from.text('to') };
}

/** Reads the fields of one JSON object and says where it is wrong. */
class Fields {
  #fields: Readonly<Record<string, unknown>>;
  #place: string;

  constructor(json: unknown, place: string) {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new ScenarioError(`${place}: not an object`);
    this.#fields = { ...json };
    this.#place = place;
  }

  knowsOnly(names: readonly string[]): void {
    const stranger = Object.keys(this.#fields).find((name) => !names.includes(name));
    if (stranger !== undefined) throw new ScenarioError(`${this.#place}: unknown field ${JSON.stringify(stranger)}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') throw this.#wrong(name, 'text');
    return value;
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw this.#wrong(name, 'a number from 0');
    return value;
  }

  times(name: string): number | 'forever' {
    return this.#fields[name] === 'forever' ? 'forever' : this.number(name);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#fields[name] ?? otherwise;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  oneOf<const T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.#fields[name] ?? otherwise;
    const choice = choices.find((each) => each === value);
    if (choice === undefined) throw this.#wrong(name, `one of ${choices.join(', ')}`);
    return choice;
  }

  list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list');
    return value;
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((item) => {
      if (typeof item !== 'string') throw this.#wrong(name, 'a list of texts');
      return item;
    });
  }

  #wrong(name: string, wanted: string): ScenarioError {
    return new ScenarioError(`${this.#place}.${name}: must be ${wanted}`);
  }
}
