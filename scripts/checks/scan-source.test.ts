// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts under test hold templates

import { describe, expect, it } from 'vitest';
import { scanSource } from './scan-source.ts';

const codeOf = (text: string) => scanSource(text).code;

describe('bare code', () => {
  it.each([
    ['line comment', "a // it's\nb", 'a        \nb'],
    ['block comment', 'a /* "x"\n y */ b', 'a       \n      b'],
    ['comment signs in a string', "f('// /* \\' ')+g", "f('         ')+g"],
    ['quotes in the other quotes', `f("it's")+g`, `f("    ")+g`],
    ['backslash before the closing quote', String.raw`f('\\')+g`, "f('  ')+g"],
    ['template with code inside', 'f(`a ${b(`c ${d} e`)} f`)+g', 'f(`  ${b(`  ${d}  `)}  `)+g'],
    ['object inside a template', 'f(`a ${{ b: 1 }.b} c`)+g', 'f(`  ${{ b: 1 }.b}  `)+g'],
    ['regular expression with a quote', 'x = /[\'/]\\/"/g; y', 'x = /       /g; y'],
    ['division', "a / b / c + 'x'", "a / b / c + ' '"],
    ['regular expression after a keyword', 'return /"/.test(a)', 'return / /.test(a)'],
    ['string that never closes', "a 'b\nc", "a ' \nc"],
    ['comment that never closes', 'a /* b', 'a     '],
  ])('%s', (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('keeps every offset', () => {
    const text = "const a = `x ${'y'}`; // z\nconst b = /w/;\n";
    expect(codeOf(text)).toHaveLength(text.length);
  });
});

describe('imports', () => {
  it('finds each form with its line', () => {
    const text = [
      "import a from './a.ts';",
      'import {',
      '  b,',
      "} from './b.ts';",
      "import type { C } from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "const g = await import('./g.ts');",
      'import * as h from "node:fs";',
    ].join('\n');
    expect(scanSource(text).imports).toEqual([
      { specifier: './a.ts', kind: 'value', line: 1 },
      { specifier: './b.ts', kind: 'value', line: 2 },
      { specifier: './c.ts', kind: 'type', line: 5 },
      { specifier: './d.ts', kind: 'value', line: 6 },
      { specifier: './e.ts', kind: 'value', line: 7 },
      { specifier: './f.ts', kind: 'type', line: 8 },
      { specifier: './g.ts', kind: 'lazy', line: 9 },
      { specifier: 'node:fs', kind: 'value', line: 10 },
    ]);
  });

  it('takes nothing from strings, comments or unlike code', () => {
    const text = [
      "// import a from './a.ts';",
      `const text = "import b from './b.ts'";`,
      'const from = (x: string) => x;',
      "export const c = from('./c.ts');",
      "const d = { import: './d.ts' };",
    ].join('\n');
    expect(scanSource(text).imports).toEqual([]);
  });
});
