import xterm from '@xterm/headless';

/**
 * Everything of @xterm/headless we use that its typings do not promise, and only here: the version is pinned, and
 * `xterm-engine.test.ts` fails when one of these is gone.
 *
 * Why at all: the public `write` parses later, from a timer, while a checkpoint needs to know after which byte it was
 * taken; and pen, saved cursor, charsets, tab stops, keyboard stacks and links have no public face.
 */
export interface XtermCore {
  readonly _inputHandler: {
    /** Synchronous as long as no handler returns a promise; none of ours does. */
    parse(bytes: Uint8Array): void;
    readonly _curAttrData: XtermPen;
    readonly _parser: { readonly currentState: number; precedingJoinState: number };
  };
  readonly _charsetService: {
    readonly charsets: readonly (XtermCharset | undefined)[];
    readonly glevel: number;
  };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean;
      readonly applicationKeypad: boolean;
      readonly bracketedPasteMode: boolean;
      readonly colorSchemeUpdates: boolean;
      readonly cursorBlink: boolean | undefined;
      readonly cursorStyle: 'block' | 'underline' | 'bar' | undefined;
      readonly origin: boolean;
      readonly reverseWraparound: boolean;
      readonly sendFocus: boolean;
      readonly synchronizedOutput: boolean;
      readonly wraparound: boolean;
    };
    readonly kittyKeyboard: {
      readonly flags: number;
      readonly mainFlags: number;
      readonly altFlags: number;
      readonly mainStack: readonly number[];
      readonly altStack: readonly number[];
    };
  };
  readonly mouseStateService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly optionsService: { readonly rawOptions: { readonly convertEol: boolean } };
  readonly _bufferService: {
    readonly buffers: {
      readonly active: XtermBuffer;
      readonly normal: XtermBuffer;
      readonly alt: XtermBuffer;
      readonly onBufferActivate: (listener: () => void) => { dispose(): void };
    };
  };
}

/** Maps an ASCII character to its replacement. Compared by identity. */
export type XtermCharset = Readonly<Record<string, string>>;

export interface XtermExtended {
  _ext: number;
  urlId: number;
  clone(): XtermExtended;
}

export interface XtermPen {
  fg: number;
  bg: number;
  extended: XtermExtended;
  updateExtended(): void;
}

export interface XtermLine {
  readonly _data: Uint32Array;
  readonly _combined: Readonly<Record<number, string>>;
  readonly _extendedAttrs: Readonly<Record<number, XtermExtended | undefined>>;
  readonly isWrapped: boolean;
  translateToString(trimRight: boolean): string;
}

export interface XtermBuffer {
  readonly x: number;
  readonly y: number;
  readonly ybase: number;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  readonly savedX: number;
  readonly savedY: number;
  readonly savedCurAttrData: { readonly fg: number; readonly bg: number };
  readonly savedCharsets: readonly (XtermCharset | undefined)[];
  readonly savedGlevel: number;
  readonly savedOriginMode: boolean;
  readonly savedWraparoundMode: boolean;
  readonly lines: {
    readonly length: number;
    get(index: number): XtermLine | undefined;
    onTrim(listener: (amount: number) => void): { dispose(): void };
  };
}

export type XtermTerminal = InstanceType<typeof xterm.Terminal>;

export function coreOf(terminal: XtermTerminal): XtermCore {
  return (terminal as unknown as { _core: XtermCore })._core;
}

interface PatchedLine {
  _combined: Record<number, string>;
  addCodepointToCell(column: number, code: number, width: number): void;
}

let isBounded = false;

/** Makes all terminals of this thread ignore combining characters on a cell that holds `max` UTF-16 units already: the engine has no bound, and a cell takes as many as a program prints. */
export function boundCombiningCharacters(max: number): void {
  if (isBounded) return;
  isBounded = true;
  const terminal = new xterm.Terminal({ cols: 2, rows: 1, logLevel: 'off' });
  const line = coreOf(terminal)._bufferService.buffers.normal.lines.get(0);
  const prototype = Object.getPrototypeOf(line) as PatchedLine;
  const add = prototype.addCodepointToCell;
  prototype.addCodepointToCell = function (column, code, width) {
    if ((this._combined[column]?.length ?? 0) < max) add.call(this, column, code, width);
  };
  terminal.dispose();
}

let charsetNames: Map<XtermCharset, string> | undefined;

/** The final byte that designates a charset. The tables are shared by all terminals, so they are asked for once. */
export function charsetName(charset: XtermCharset | undefined): string | undefined {
  if (charset === undefined) return undefined;
  charsetNames ??= learnCharsets();
  return charsetNames.get(charset);
}

function learnCharsets(): Map<XtermCharset, string> {
  const terminal = new xterm.Terminal({ cols: 2, rows: 1, logLevel: 'off' });
  const core = coreOf(terminal);
  const names = new Map<XtermCharset, string>();
  for (const name of '0AB4CRQKYEZH=') {
    core._inputHandler.parse(new Uint8Array([0x1b, 0x28, name.charCodeAt(0)]));
    const charset = core._charsetService.charsets[0];
    if (charset !== undefined) names.set(charset, name);
  }
  terminal.dispose();
  return names;
}
