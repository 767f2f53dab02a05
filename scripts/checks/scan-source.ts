import { posix } from 'node:path';
import { lineAt } from './source-tree.ts';

export interface SourceImport {
  specifier: string;
  /** `lazy` is `import()`; `type` is erased and only the compiler sees it. */
  kind: 'value' | 'type' | 'lazy';
  line: number;
}

export interface ScannedSource {
  /** The text with comments and the insides of strings, templates and regular expressions blanked; same offsets. */
  code: string;
  imports: readonly SourceImport[];
}

/** Reads the imports of a TypeScript text and leaves its bare code for further looks. Remembered by text. */
export function scanSource(text: string): ScannedSource {
  const known = scanned.get(text);
  if (known !== undefined) return known;
  const code = blankText(text);
  const source = { code, imports: readImports(text, code) };
  scanned.set(text, source);
  return source;
}

/** Lives as long as one run of the checks, which is one process. */
const scanned = new Map<string, ScannedSource>();

/** Path from the root that a relative import leads to; undefined for packages and Node's own modules. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

function readImports(text: string, code: string): SourceImport[] {
  const found: { at: number; quote: number; kind: SourceImport['kind'] }[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\b(\s+type\b)?[^;'"`()=]*?\bfrom\s*(?=['"])/g))
    found.push({ at: match.index, quote: match.index + match[0].length, kind: match[1] ? 'type' : 'value' });
  for (const match of code.matchAll(/\bimport\s*(?=['"])/g))
    found.push({ at: match.index, quote: match.index + match[0].length, kind: 'value' });
  for (const match of code.matchAll(/\bimport\s*\(\s*(?=['"`])/g))
    found.push({ at: match.index, quote: match.index + match[0].length, kind: 'lazy' });
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ at, quote, kind }) => ({ specifier: readQuoted(text, quote), kind, line: lineAt(text, at) }));
}

function readQuoted(text: string, quote: number): string {
  return text.slice(quote + 1, text.indexOf(text[quote] ?? '', quote + 1));
}

/**
 * Replaces what is not code by blanks, keeping newlines, quotes and length. Knows strings, nested templates, comments
 * and regular expressions (told from division by the token before). Strings and regular expressions end with their
 * line at the latest, so that a wrong guess never swallows the rest of the file.
 */
function blankText(text: string): string {
  let code = '';
  /** Open braces, innermost last; `template` returns to a template literal when its `}` comes. */
  const braces: ('block' | 'template')[] = [];

  const keep = (count: number) => {
    code += text.slice(code.length, code.length + count);
  };
  const blankTo = (end: number) => {
    code += text.slice(code.length, end).replace(/[^\n]/g, ' ');
  };
  const quoted = (end: number) => {
    keep(1);
    blankTo(end);
    if (text[end] !== '\n') keep(1);
  };
  const template = () => {
    const end = endOfTemplatePart(text, code.length);
    blankTo(end);
    if (text[end] === '$') braces.push('template');
    keep(text[end] === '$' ? 2 : 1);
  };

  while (code.length < text.length) {
    const at = code.length;
    const character = text[at];
    if (text.startsWith('//', at)) blankTo(indexOrEnd(text, '\n', at));
    else if (text.startsWith('/*', at)) blankTo(Math.min(indexOrEnd(text, '*/', at + 2) + 2, text.length));
    else if (character === "'" || character === '"') quoted(endOfString(text, at + 1, character));
    else if (character === '/' && startsExpression(code)) quoted(endOfRegularExpression(text, at + 1));
    else if (character === '`') {
      keep(1);
      template();
    } else {
      keep(1);
      if (character === '{') braces.push('block');
      if (character === '}' && braces.pop() === 'template') template();
    }
  }
  return code;
}

function endOfString(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function endOfRegularExpression(text: string, from: number): number {
  let isInClass = false;
  let at = from;
  while (at < text.length && text[at] !== '\n' && (isInClass || text[at] !== '/')) {
    if (text[at] === '[') isInClass = true;
    if (text[at] === ']') isInClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

/** Position of the closing backtick or of the next `${`. */
function endOfTemplatePart(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
  return at;
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from);
  return found === -1 ? text.length : found;
}

const wordsBeforeExpression = /\b(?:return|typeof|case|in|of|delete|void|throw|new|do|else|yield|await|instanceof)$/;

/** Whether a slash here opens a regular expression: the code before it cannot be the end of an operand. */
function startsExpression(code: string): boolean {
  const before = code.slice(-200).trimEnd();
  return before === '' || /[(,=:[!&|?{;+\-*%<>~^]$/.test(before) || wordsBeforeExpression.test(before);
}
