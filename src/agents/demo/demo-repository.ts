/** A tracked file of the throwaway repository. The demo program changes nothing in a folder without it. */
export const demoMarker = '.concert-demo';

/** Author of every commit the demo makes. */
export const demoAuthor = { name: 'Demo', email: 'demo@localhost' };
