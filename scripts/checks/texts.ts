import { scanSource } from './scan-source.ts';
import { type Check, isTest, isTypeScript, lineAt } from './source-tree.ts';

/** Names a made-up home folder in an example may have, beside single letters; any other is taken for somebody's own machine. */
const madeUpPeople = ['you', 'me', 'user', 'ada', 'grace', 'someone'];

const machinePaths = [
  /(?<![\w.~/-])\/work\/[\w.-]+/g,
  /(?<![\w.-])\/farm\/[\w.-]+/g,
  /\/tmp\/bash_jobs\b/g,
  new RegExp(`(?<![\\w.-])/(?:home|Users)/(?!(?:${madeUpPeople.join('|')})\\b)[a-z][\\w.-]+`, 'g'),
];

/** A clone works wherever packages come from; where ours came from is nobody's business. */
const registryHosts = [
  /\bregistry\.[a-z0-9-]+\.(?:org|com|io|dev|net|cn|internal|local)\b/gi,
  /\bnpm\.pkg\.[a-z]+\.com\b/gi,
  /^\s*(?:@[\w-]+:)?registry\s*=.*/gm,
];

export const checkMachinePaths: Check = (tree) =>
  [...tree].flatMap(([path, text]) =>
    machinePaths.flatMap((pattern) =>
      [...text.matchAll(pattern)].map((match) => ({
        path,
        line: lineAt(text, match.index),
        message: `"${match[0]}" is a path of one machine`,
      })),
    ),
  );

export const checkRegistryHosts: Check = (tree) =>
  [...tree].flatMap(([path, text]) =>
    registryHosts.flatMap((pattern) =>
      [...text.matchAll(pattern)].map((match) => ({
        path,
        line: lineAt(text, match.index),
        message: `"${match[0].trim()}" names a package registry`,
      })),
    ),
  );

const switchedOff =
  /(?<![\w$.])(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|todo)\b|(?<![\w$.])[fx](?:it|describe)\s*\(/g;

/** Every test that stands in the tree runs, every time. A test for one platform uses `runIf`, which names its condition. */
export const checkTestsRun: Check = (tree) =>
  [...tree]
    .filter(([path]) => isTypeScript(path) && (isTest(path) || path.startsWith('test/') || path.startsWith('bench/')))
    .flatMap(([path, text]) =>
      [...scanSource(text).code.matchAll(switchedOff)].map((match) => ({
        path,
        line: lineAt(text, match.index),
        message: `"${match[0]}" switches tests off`,
      })),
    );

/** A folder's index opens by saying what the folder is for and what it must never do. */
export const checkIndexDocs: Check = (tree) =>
  [...tree]
    .filter(([path]) => /^src\/[^/]+\/index\.ts$/.test(path))
    .filter(([, text]) => !/^\/\*\*(?:(?!\*\/)[\s\S])*\bnever\b/i.test(text))
    .map(([path]) => ({
      path,
      line: 1,
      message: 'Open with a doc comment: what the folder is for, and one thing it must never do',
    }));
