import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { XtermEngine } from './xterm-engine.ts';
import { charsetName, coreOf } from './xterm-internals.ts';

const bytes = (text: string) => Buffer.from(text);

test('the engine is the version whose inside we know', () => {
  const path = createRequire(import.meta.url).resolve('@xterm/headless/package.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: '6.1.0-beta.334' });
});

test('every private part we read is there', () => {
  const terminal = new xterm.Terminal({ cols: 10, rows: 3, logLevel: 'off', vtExtensions: { kittyKeyboard: true } });
  const core = coreOf(terminal);
  core._inputHandler.parse(bytes('\x1b(0\x1b7\x1b[4:3mx\u0301\x1b[>1u'));
  const { normal } = core._bufferService.buffers;
  expect({
    pen: [core._inputHandler._curAttrData.bg >>> 28, core._inputHandler._curAttrData.extended._ext >>> 26],
    parser: core._inputHandler._parser,
    charset: charsetName(core._charsetService.charsets[core._charsetService.glevel]),
    modes: core.coreService.decPrivateModes,
    insert: core.coreService.modes.insertMode,
    isCursorHidden: core.coreService.isCursorHidden,
    keyboard: core.coreService.kittyKeyboard,
    mouse: [core.mouseStateService.activeProtocol, core.mouseStateService.activeEncoding],
    newLine: core.optionsService.rawOptions.convertEol,
    saved: [normal.savedX, normal.savedY, normal.savedCharsets.map(charsetName), normal.savedGlevel],
    savedModes: [normal.savedOriginMode, normal.savedWraparoundMode, normal.savedCurAttrData],
    tabs: normal.tabs,
    rows: [normal.lines.length, normal.ybase, normal.x, normal.y, normal.scrollTop, normal.scrollBottom],
  }).toMatchObject({
    pen: [1, 3],
    parser: { currentState: 0, precedingJoinState: 0 },
    charset: '0',
    modes: { wraparound: true, origin: false, bracketedPasteMode: false, synchronizedOutput: false },
    insert: false,
    isCursorHidden: false,
    keyboard: { flags: 1, mainFlags: 0, altFlags: 0, mainStack: [0], altStack: [] },
    mouse: ['NONE', 'DEFAULT'],
    newLine: false,
    saved: [0, 0, ['0'], 0],
    savedModes: [false, true, { fg: 0, bg: 0 }],
    tabs: { 0: true, 8: true },
    rows: [3, 0, 1, 0, 0, 2],
  });
  const line = normal.lines.get(0);
  expect([line?._data.length, line?._combined[0], line?._extendedAttrs[0]?._ext, line?.isWrapped]).toEqual([
    30,
    '│\u0301',
    3 << 26,
    false,
  ]);
  terminal.dispose();
});

test('parses at once, with the widths of Unicode 11', () => {
  using engine = new XtermEngine({ columns: 10, rows: 3, scrollbackRows: 10 });
  engine.write(bytes('漢🤖🧪e\u0301'));
  expect([engine.normal().x, engine.state().lastCharacterWidth]).toEqual([7, 1]);
});

test('knows every charset by its designation', () => {
  using engine = new XtermEngine({ columns: 10, rows: 3, scrollbackRows: 10 });
  for (const name of '0A4CRQKYEZH=') {
    engine.write(bytes(`\x1b)${name}`));
    expect(engine.state().charsets).toEqual([undefined, name]);
  }
});

test('forgets links that no cell shows, and makes none beyond its bounds', () => {
  using engine = new XtermEngine({ columns: 10, rows: 3, scrollbackRows: 0 });
  for (let i = 0; i < 10_000; i++) {
    engine.setLink({ id: undefined, uri: `http://host/${i}` });
    engine.write(bytes('x'));
  }
  const normal = engine.normal();
  const last = normal.row(2).extra(normal.x - 1).link;
  expect(engine.link(last)).toEqual({ id: undefined, uri: 'http://host/9999' });
  expect(engine.link(1)).toBeUndefined();
  const long = 'x'.repeat(300 * 1024);
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    engine.setLink({ id, uri: long });
    engine.write(bytes('y'));
  }
  expect(engine.state().pen.extra.link).toBe(0);
});

test('counts the rows that are gone, through a reset too', () => {
  using engine = new XtermEngine({ columns: 10, rows: 3, scrollbackRows: 5 });
  engine.write(bytes('\n'.repeat(20)));
  expect([engine.rowsDropped, engine.normal().length]).toEqual([13, 8]);
  engine.write(bytes('\x1bc\x1b[3J'));
  expect([engine.rowsDropped, engine.normal().length]).toEqual([21, 3]);
});

test('a cell takes no more combining characters than any script needs', () => {
  using engine = new XtermEngine({ columns: 10, rows: 3, scrollbackRows: 0 });
  engine.write(bytes(`x${'\u0301'.repeat(100_000)}y`));
  expect([engine.normal().row(0).combined(0).length, engine.normal().x]).toEqual([64, 2]);
});
