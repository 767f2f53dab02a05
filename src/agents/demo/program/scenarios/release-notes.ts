import { scenario } from '../scenario.ts';

/** Parked on CI after some 10 s for 15 s, then goes on by itself to review. */
export const releaseNotes = scenario('release-notes', [
  { do: 'plan', items: ['Collect the changes', 'Write the notes', 'Wait for CI', 'Date the release'] },
  { do: 'run', argv: ['git', 'log', '--oneline', '--max-count=6'] },
  { do: 'tick' },
  { do: 'think', ms: 2500, label: 'Sorting the changes by who cares' },
  {
    do: 'edit',
    path: 'CHANGELOG.md',
    from: '## Unreleased\n',
    to: `## Unreleased

### Added
- Search finds pages of the docs.
- Requests are limited, so that one caller cannot slow down all others.

### Fixed
- The cart adds up discounts only once.
`,
  },
  { do: 'commit', message: 'Write the notes of the next release' },
  { do: 'tick' },
  { do: 'say', text: 'The notes are written. I date the release when CI is green.' },
  { do: 'wait', ms: 15_000, until: 'CI ends' },
  { do: 'tick' },
  { do: 'say', text: 'CI is green.' },
  { do: 'edit', path: 'CHANGELOG.md', from: '## Unreleased\n', to: '## Unreleased\n\n## 1.4.0\n' },
  { do: 'test', files: ['test/cart.test.js'] },
  { do: 'commit', message: 'Release 1.4.0' },
  { do: 'tick' },
]);
