import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FleetStory, gist, plainSpec } from '../../test/support/fleet-story.ts';
import { nameLengthMax, plainLine, slugOf } from './index.ts';
import { freeName, freeSlug } from './naming.ts';

/** What no terminal and no page may get from outside: controls, format characters (direction overrides among them), line ends, halves of characters. */
const hostile = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const wicked = fc.constantFrom(
  ...['\u0000', '\u001b[31m', '\u009b', '\u061c', '\u200b', '\u202e', '\u2066', '\u2028', '\ufeff', '\u00ad'],
  ...[
    '\ud83d',
    '\ude00',
    '\u{e0041}',
    '\ufff9',
    '\r\n',
    '\t',
    '  ',
    '\u3164',
    'é',
    'e\u0301',
    '漢',
    '🙂',
    '👩‍👩‍👧',
    'ﬁ',
    'İ',
  ],
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.oneof(wicked, fc.string()), { maxLength: 60 }).map((parts) => parts.join('')),
);

describe('plainLine', () => {
  it('gives one plain line within its length, and leaves such a line alone', () => {
    void fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 130 }), (from, lengthMax) => {
        const line = plainLine(from, lengthMax);
        expect(line).not.toMatch(hostile);
        expect(line).toBe(line.trim());
        expect([...line].length).toBeLessThanOrEqual(lengthMax);
        expect(line.isWellFormed()).toBe(true);
        expect(plainLine(line, lengthMax)).toBe(line);
      }),
    );
  });

  it.each([
    ['a direction override', 'gpj.\u202eexe', 'gpj. exe'],
    ['an Arabic letter mark', 'a\u061cb', 'a b'],
    ['an escape sequence', '\u001b]0;title\u0007x', ']0;title x'],
    ['letters that show nothing', '\u3164\u115f', ''],
    ['half a character', 'a\ud83db', 'a b'],
    ['lines', 'one\r\ntwo\tthree', 'one two three'],
  ])('makes %s harmless', (_, from, to) => {
    expect(plainLine(from, 40)).toBe(to);
  });

  it('ends a long line in an ellipsis, between characters', () => {
    expect(plainLine('🙂'.repeat(10), 4)).toBe('🙂🙂🙂…');
  });
});

describe('slugOf', () => {
  it('is safe as a folder and a branch, and stable', () => {
    void fc.assert(
      fc.property(text, (from) => {
        const slug = slugOf(from);
        expect(slug).toMatch(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/);
        expect(slug.length).toBeLessThanOrEqual(40);
        expect(slugOf(slug)).toBe(slug);
      }),
    );
  });

  it.each([
    ['Fix the Login!', 'fix-the-login'],
    ['Überprüfe das', 'uberprufe-das'],
    ['漢字', 'session'],
    ['--upload-pack=touch x', 'upload-pack-touch-x'],
    ['../../etc', 'etc'],
  ])('%s becomes %s', (from, to) => {
    expect(slugOf(from)).toBe(to);
  });
});

describe('free names', () => {
  it('count up, stay within their length, and never read as a tab', () => {
    const story = new FleetStory({ slots: 20 });
    const long = 'x'.repeat(nameLengthMax);
    for (const [n, title] of ['Docs', 'Docs', '7', '7'].entries()) story.start(n, { title });
    story.start(8, { name: long });
    const { state } = story.fleet;
    expect([
      [...state.sessions.values()].map(({ name, slug }) => [name, slug]),
      freeName(state, long),
      freeSlug(state, 'docs'),
    ]).toEqual([
      [
        ['docs', 'docs'],
        ['docs-2', 'docs-2'],
        ['session-7', 'session-7'],
        ['session-7-2', 'session-7-2'],
        [long, 'x'.repeat(40)],
      ],
      `${'x'.repeat(nameLengthMax - 2)}-2`,
      'docs-3',
    ]);
  });
});

describe('a name that people give', () => {
  it('is made plain, whether a task or a session gets it', () => {
    const story = new FleetStory();
    story.start(1, { name: ' fix\u202e login\n', title: 'ab\u0007'.repeat(200) });
    story.start(2, { name: 'other' });
    story.tell({ type: 'session/rename', session: 's2', name: 'new\tname' });
    const title = story.fleet.state.tasks.get('t1')?.spec.title ?? '';
    expect([...story.fleet.state.sessions.values()].map(({ name }) => name)).toEqual(['fix login', 'new name']);
    expect(title).toBe(`${'ab '.repeat(39)}ab…`);
  });

  it.each([
    ['nothing to show', '\u200b', 'request/invalid'],
    ['a tab', '7', 'request/invalid'],
    ['one that is taken', 'fix', 'session/name-taken'],
    ['one that is taken but for what does not show', 'fix\u200b', 'session/name-taken'],
    ['one that a waiting task will have', 'waiting', 'session/name-taken'],
  ])('is refused when it is %s', (_, name, code) => {
    const story = new FleetStory({ slots: 2 });
    story.start(1, { name: 'fix' });
    story.start(2, { name: 'other' });
    story.start(3, { name: 'waiting' });
    const refusals = [
      story.start(4, { ...plainSpec, name }),
      story.tell({ type: 'session/rename', session: 's2', name }),
    ];
    expect(refusals.map((turn) => gist(turn).refusal)).toEqual([code, code]);
  });
});
