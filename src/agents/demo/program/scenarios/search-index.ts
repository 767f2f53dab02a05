import { type Step, scenario } from '../scenario.ts';

const shards = 8;

/** Works unbroken for some four minutes. */
export const searchIndex = scenario('search-index', [
  { do: 'plan', items: Array.from({ length: shards }, (_, index) => `Rebuild shard ${index + 1}`) },
  { do: 'say', text: 'The index is rebuilt shard by shard, so that search answers all the time.' },
  { do: 'read', path: 'scripts/build-shard.js' },
  ...Array.from({ length: shards }, (_, index) => rebuild(index + 1)).flat(),
  { do: 'test', files: ['test/search.test.js'] },
  { do: 'say', text: 'All shards are rebuilt. Search finds every page of the docs.' },
]);

function rebuild(shard: number): Step[] {
  return [
    { do: 'think', ms: 9000, label: `Reading the pages of shard ${shard}` },
    { do: 'run', argv: ['node', 'scripts/build-shard.js', String(shard), String(shards)] },
    { do: 'think', ms: 12_000, label: `Comparing shard ${shard} with the old one` },
    { do: 'test', files: ['test/search.test.js'] },
    { do: 'think', ms: 5000, label: `Checking the ranking of shard ${shard}` },
    ...(shard % 2 === 0 ? [{ do: 'commit' as const, message: `Rebuild search shards ${shard - 1} and ${shard}` }] : []),
    { do: 'tick' },
  ];
}
