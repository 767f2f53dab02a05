import { scenario } from '../scenario.ts';

/** Prints back what is typed, line by line, and reports nothing. */
export const echo = scenario('echo', [{ do: 'echo' }], { screen: 'plain', reports: 'none', startsAlone: true });
