import { expect, test } from 'vitest';
import { type Input, InputParser, pasteLengthMax } from './input-parser.ts';

function parse(...chunks: (string | Buffer)[]): Input[] {
  const inputs: Input[] = [];
  using parser = new InputParser((input) => inputs.push(input));
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return inputs;
}

/** Text arrives in as many pieces as the bytes did. */
function joined(inputs: readonly Input[]): Input[] {
  const whole: Input[] = [];
  for (const input of inputs) {
    const last = whole.at(-1);
    if (input.kind === 'text' && last?.kind === 'text')
      whole[whole.length - 1] = { ...last, text: last.text + input.text };
    else whole.push(input);
  }
  return whole;
}

const everything =
  'hé😀\x1b]7501;?\x1b\\\x1b[?1;2c\x1b[A\x1bOB\x1b[200~two\r\nlines \x1b[31m 日本\x1b[201~\x1b[5~\x1b[I\x03\x7f\r';
const meaning: Input[] = [
  { kind: 'text', text: 'hé😀' },
  { kind: 'answer', to: 'status' },
  { kind: 'answer', to: 'device-attributes' },
  { kind: 'key', key: 'up' },
  { kind: 'key', key: 'down' },
  { kind: 'paste', text: 'two\r\nlines \x1b[31m 日本' },
  { kind: 'key', key: 'page-up' },
  { kind: 'key', key: 'interrupt' },
  { kind: 'key', key: 'backspace' },
  { kind: 'key', key: 'enter' },
];

test('keys, text, pastes and answers, cut at every byte', () => {
  const bytes = Buffer.from(everything);
  expect(parse(bytes)).toEqual(meaning);
  for (let at = 1; at < bytes.length; at++)
    expect(joined(parse(bytes.subarray(0, at), bytes.subarray(at)))).toEqual(meaning);
  expect(joined(parse(...[...bytes].map((byte) => Buffer.from([byte]))))).toEqual(meaning);
});

test('a lone Esc is the key once nothing follows it', async () => {
  const inputs: Input[] = [];
  await new Promise<void>((resolve) => {
    const parser = new InputParser((input) => {
      inputs.push(input);
      resolve();
    });
    parser.push(Buffer.from('\x1b'));
    expect(inputs).toEqual([]);
  });
  expect(inputs).toEqual([{ kind: 'key', key: 'escape' }]);
});

test('Esc before a letter is Esc and the letter', () => {
  expect(parse('\x1by')).toEqual([
    { kind: 'key', key: 'escape' },
    { kind: 'text', text: 'y' },
  ]);
});

test('an endless sequence is given up as text', () => {
  const inputs = parse(`\x1b]7501;${'x'.repeat(10_000)}`);
  expect(inputs[0]).toEqual({ kind: 'key', key: 'escape' });
});

test('a paste is kept up to its bound', () => {
  const chunk = 'x'.repeat(1024 * 1024);
  const [paste] = parse('\x1b[200~', chunk, chunk, chunk, chunk, chunk, '\x1b[201~');
  expect(paste?.kind === 'paste' ? paste.text.length : 0).toBe(pasteLengthMax);
});
