/**
 * Words every folder may use: assertions, disposal, events, the clock and chance ports.
 * Must never import anything, nor name a thing of the environment (no timers, no process, no I/O).
 */
export * from './assert.ts';
export * from './backoff.ts';
export * from './disposable.ts';
export * from './emitter.ts';
export * from './ports.ts';
export * from './result.ts';
