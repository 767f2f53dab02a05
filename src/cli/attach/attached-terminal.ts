import { toDisposable } from '../../base/index.ts';
import { createQueryFilter, plainLine } from '../../client/index.ts';
import { exitCodes, type SessionDocument } from '../../protocol/index.ts';
import { bringBack } from '../bring-back.ts';
import type { Call } from '../call.ts';
import { realChance, within } from '../clock.ts';
import { shapeOf } from '../look.ts';
import { type OpenView, openView } from '../open-view.ts';
import type { Outcome } from '../outcome.ts';
import { createUnixTransport } from '../transport.ts';
import { type AttachEnd, AttachedSession } from './attached-session.ts';
import { type KeyStep, PrefixKeys } from './prefix-keys.ts';
import { openRawTerminal } from './raw-terminal.ts';
import { TerminalOutput } from './terminal-output.ts';

/** A key that begins like a sequence is taken for itself when nothing follows by then; the rest of a real one comes at once. */
const escapeMs = 25;
/** Keys typed just before leaving still reach the agent if they can within this time. */
const typedMsMax = 300;
/** A window that is dragged reports many sizes; the agent hears of the last. */
const resizeMs = 50;

export interface AttachedTerminalOptions {
  prefix: string;
  device: string;
  mode: 'drive' | 'view';
  take: boolean;
  history: number;
  followedTab: number | null;
  isInteractive: boolean;
}

type Over = { type: 'detached' } | AttachEnd;

/**
 * The person's terminal from attach to detach: keyboard, size, title, and which session it shows. Changing the tab
 * keeps the process; the session on show stays until the next one can be shown.
 */
export class AttachedTerminal {
  readonly #call: Call;
  readonly #options: AttachedTerminalOptions;
  readonly #raw: ReturnType<typeof openRawTerminal> | null;
  readonly #output: TerminalOutput;
  readonly #keys: PrefixKeys;
  readonly #over = Promise.withResolvers<Over>();
  readonly #stack = new DisposableStack();
  readonly #daemon: ReturnType<typeof bringBack>;
  #shown: { attached: AttachedSession; document: SessionDocument } | null = null;
  #next: { attached: AttachedSession; document: SessionDocument } | null = null;
  #driver: string | null = null;
  #sessionSize: string | null = null;
  #fleet: OpenView | null = null;
  /** Of ours, on the bottom row until the next key. */
  #lineShown: string | null = null;
  #hasLeft = false;
  #escape: Disposable | null = null;
  #resize: Disposable | null = null;

  constructor(call: Call, options: AttachedTerminalOptions) {
    this.#call = call;
    this.#options = options;
    this.#raw = options.isInteractive ? openRawTerminal(call.invocation) : null;
    const prepare = async () => await this.#raw?.finish();
    this.#output = new TerminalOutput(call.invocation.stdout, createQueryFilter, prepare);
    this.#keys = new PrefixKeys(options.prefix);
    this.#daemon = this.#stack.use(bringBack(call, () => {}));
  }

  async run(session: SessionDocument): Promise<Outcome> {
    const over = await this.#show(session);
    return this.#lastLine(over);
  }

  /** When it resolves the terminal is as it was. */
  async #show(session: SessionDocument): Promise<Over> {
    const { stdin, stdout } = this.#call.invocation;
    using stack = this.#stack;
    stack.defer(onEnding(() => this.#output.endAtOnce()));
    if (this.#raw !== null) {
      stack.use(this.#raw);
      stack.use(
        listen(stdin, 'data', (bytes: Uint8Array) => this.#act(this.#keys.push(bytes, this.#call.clock.monotonic()))),
      );
      stack.use(listen(stdin, 'end', () => this.#over.resolve({ type: 'detached' })));
    }
    stack.use(listen(stdout, 'resize', () => this.#resizeSoon()));
    stack.defer(() => this.#leave());
    this.#switchTo(session);
    const over = await this.#over.promise;
    const typed = (this.#next ?? this.#shown)?.attached.typed();
    if (over.type === 'detached' && typed !== undefined) await within(this.#call.clock, typedMsMax, typed);
    this.#leave();
    await this.#output.end();
    return over;
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#escape?.[Symbol.dispose]();
    this.#resize?.[Symbol.dispose]();
    this.#shown?.attached[Symbol.dispose]();
    this.#next?.attached[Symbol.dispose]();
    this.#fleet?.[Symbol.dispose]();
  }

  #lastLine(over: Over): Outcome {
    if (over.type === 'refused') return over.refusal;
    const document = this.#shown?.document;
    const name = plainLine(document?.name ?? '', 60);
    if (over.type === 'ended') this.#call.tell(`${name} ended: ${plainLine(over.why, 200)} (${over.state})`);
    else
      this.#call.tell(`Detached from ${name}; it goes on. Back: concert attach ${document?.tab ?? document?.id ?? ''}`);
    return exitCodes.ok;
  }

  #switchTo(document: SessionDocument): void {
    const { transport, clock } = this.#call;
    this.#next?.attached[Symbol.dispose]();
    const attached: AttachedSession = new AttachedSession(
      { transport, clock, random: realChance },
      {
        session: document.id,
        device: this.#options.device,
        mode: this.#options.mode,
        take: this.#options.take,
        history: this.#options.history,
        size: () => this.#size(),
        sink: {
          paint: (screen) => this.#paint(attached, screen),
          write: (bytes, taken) => this.#output.write(bytes, taken),
        },
        onMode: (mode, driver) => this.#setMode(attached, mode, driver),
        onSize: (columns, rows) => this.#setSize(attached, columns, rows),
        onShown: () => this.#onShown(),
        onAway: () => this.#daemon.away(),
      },
    );
    this.#next = { attached, document };
    void attached.end.then((end) => this.#onEnd(attached, end));
  }

  #paint(attached: AttachedSession, screen: Uint8Array): void {
    if (attached === this.#next?.attached) {
      this.#shown?.attached[Symbol.dispose]();
      this.#shown = this.#next;
      this.#next = null;
      this.#driver = this.#shown.document.driver;
      this.#sessionSize = null;
      this.#lineShown = null;
      if (!attached.isDriving) this.#tellViewing();
    }
    if (attached !== this.#shown?.attached) return;
    this.#output.paint(screen);
    this.#showTitle();
    if (this.#lineShown !== null) this.#output.showLine(this.#lineShown);
  }

  /** Before the first screen, so that it stands above it afterwards. */
  #tellViewing(): void {
    if (this.#options.isInteractive && !this.#call.flags.quiet)
      this.#call.invocation.stderr.write(`\r\n${this.#viewingWords()}\r\n`);
  }

  #viewingWords(): string {
    const driver = this.#driver === null ? '' : `, ${plainLine(this.#driver, 64)} drives`;
    const { columns, rows } = this.#size();
    const isOther = this.#sessionSize !== null && this.#sessionSize !== `${columns} x ${rows}`;
    return `viewing${driver}${isOther ? `, drawn for ${this.#sessionSize}` : ''}; Enter takes over`;
  }

  /** A viewer does not change the size; what was drawn for another one may look wrong, so it is told. */
  #setSize(attached: AttachedSession, columns: number, rows: number): void {
    if (attached !== this.#shown?.attached) return;
    this.#sessionSize = `${columns} x ${rows}`;
    this.#showTitle();
  }

  #onShown(): void {
    this.#daemon.back();
    if (this.#fleet === null) void this.#openFleet();
  }

  async #openFleet(): Promise<void> {
    const transport = createUnixTransport(this.#call.home.socket);
    const opened = await openView(this.#call, { tell() {}, transport });
    if (!opened.ok) return;
    if (this.#fleet !== null || this.#hasLeft) return opened.value[Symbol.dispose]();
    this.#fleet = opened.value;
    this.#fleet.view.onChange(() => this.#onFleet());
    this.#onFleet();
  }

  #onFleet(): void {
    const { followedTab } = this.#options;
    const lists = this.#fleet?.view.lists();
    const bound = followedTab === null ? undefined : lists?.sessions.find(({ tab }) => tab === followedTab);
    const isOther = bound !== undefined && bound.id !== (this.#next ?? this.#shown)?.document.id;
    if (isOther && bound.liveness.process !== 'gone') return this.#switchTo(bound);
    if (this.#shown === null) return;
    const document = this.#fleet?.view.session(this.#shown.document.id);
    if (document === undefined) return;
    this.#shown = { ...this.#shown, document };
    this.#driver = document.driver;
    this.#showTitle();
  }

  #showTitle(): void {
    if (this.#shown === null) return;
    const { document, attached } = this.#shown;
    const state = document.deep && document.state === 'working' ? 'deep' : document.state;
    const tab = document.tab === null ? '' : `${document.tab} `;
    const label = document.simulated ? ' [simulated]' : '';
    const viewing = attached.isDriving ? '' : ` (${this.#viewingWords()})`;
    this.#output.setTitle(`${tab}${shapeOf(state, this.#call.look)} ${plainLine(document.name, 60)}${label}${viewing}`);
  }

  #setMode(attached: AttachedSession, mode: 'drive' | 'view', driver: string | null): void {
    if (attached !== this.#shown?.attached) return;
    this.#onShown();
    this.#driver = driver ?? this.#driver;
    if (mode === 'drive') attached.resize();
    this.#showTitle();
  }

  #onEnd(attached: AttachedSession, end: AttachEnd): void {
    const isNext = attached === this.#next?.attached;
    const { followedTab } = this.#options;
    if (isNext) this.#next = null;
    if (isNext && this.#shown !== null && end.type === 'refused') return this.#line(end.refusal.message);
    if (!isNext && attached !== this.#shown?.attached) return;
    if (followedTab === null || end.type === 'refused') return this.#over.resolve(end);
    const name = plainLine(this.#shown?.document.name ?? '', 60);
    this.#line(
      `${name} ended: ${plainLine(end.why, 120)}. Waiting for what comes to tab ${followedTab}; ${this.#options.prefix} d leaves`,
    );
  }

  #act(steps: readonly KeyStep[]): void {
    this.#escape?.[Symbol.dispose]();
    this.#escape = null;
    for (const step of steps) this.#step(step);
    if (this.#keys.isHolding) this.#escape = this.#call.clock.after(escapeMs, () => this.#act(this.#keys.flush()));
  }

  #step(step: KeyStep): void {
    switch (step.type) {
      case 'bytes':
        return this.#type(step.bytes);
      case 'detach':
        return this.#over.resolve({ type: 'detached' });
      case 'tab':
        return this.#goTo(step.tab);
      case 'help':
        return this.#line(
          `${this.#options.prefix} then: 1-9 tab  d detach  ? keys  ${this.#options.prefix} again: send it`,
        );
      case 'nothing':
        return this.#output.bell();
    }
  }

  #type(bytes: Uint8Array): void {
    if (this.#lineShown !== null) {
      this.#lineShown = null;
      this.#shown?.attached.repaint();
      return;
    }
    const target = (this.#next ?? this.#shown)?.attached;
    if (target === undefined) return;
    if (target.isDriving) target.input(bytes);
    else if (isEnter(bytes) && this.#options.mode === 'drive') target.take();
    else if (bytes[0] !== 0x1b) this.#output.bell();
  }

  #goTo(tab: number): void {
    if (this.#options.followedTab !== null) return this.#line(`This terminal follows tab ${this.#options.followedTab}`);
    const bound = this.#fleet?.view.lists().sessions.find((session) => session.tab === tab);
    if (bound === undefined) return this.#line(`Nothing is bound to tab ${tab}`);
    if (bound.id !== this.#shown?.document.id) this.#switchTo(bound);
  }

  /** A line of ours until the next key; without a daemon to draw the screen again, only a bell. */
  #line(text: string): void {
    const canReturn =
      this.#fleet?.view.isConnected === true || this.#shown === null || this.#options.followedTab !== null;
    if (!canReturn) return this.#output.bell();
    this.#lineShown = plainLine(text, Math.max(10, (this.#call.invocation.stdout.columns ?? 80) - 3));
    this.#output.showLine(this.#lineShown);
  }

  #resizeSoon(): void {
    this.#resize?.[Symbol.dispose]();
    this.#resize = this.#call.clock.after(resizeMs, () => this.#shown?.attached.resize());
  }

  #size(): { columns: number; rows: number } {
    const { columns = 80, rows = 24 } = this.#call.invocation.stdout;
    return { columns: Math.min(1000, Math.max(20, columns)), rows: Math.min(500, Math.max(5, rows)) };
  }
}

function listen<T>(emitter: NodeJS.EventEmitter, name: string, listener: (value: T) => void): Disposable {
  emitter.on(name, listener);
  return toDisposable(() => emitter.off(name, listener));
}

/** Return, or what kitty sends for it. */
function isEnter(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  return text === '\r' || /^\u001b\[13(;1(:1)?)?u$/.test(text);
}

/** Runs when the process ends in any way it can notice. Gives back how to forget it. */
function onEnding(restore: () => void): () => void {
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const listeners = Object.entries(signals).map(([signal, code]) => {
    const listener = () => process.exit(code);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  process.on('exit', restore);
  return () => {
    process.off('exit', restore);
    for (const forget of listeners) forget();
  };
}
